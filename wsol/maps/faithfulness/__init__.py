"""Whether a map shows what its network looks at: deletion and insertion, within one network."""
