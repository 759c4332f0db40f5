"""What one attention module mends and worsens, by the tests of digits, beside CAM and its control."""
