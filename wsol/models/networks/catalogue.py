"""The backbones that are tried and tested here, by name; reading them costs no torch.

Other convolutional networks of timm or torchvision go by their own names as long as their features
are a chain of modules.
"""

from __future__ import annotations

BACKBONES: dict[str, str] = {
    "small_resnet": "residual net 16-32-64-96 for 64x64 images, 8x8 maps (the demo's)",
    "small_vit": "ViT 96 x 6 behind a convolutional stem for 64x64 images, 8x8 maps (stage3)",
    "resnet18": "timm",
    "resnet34": "timm",
    "resnet50": "timm",
    "resnet101": "timm",
    "seresnet50": "SENet (Hu et al., CVPR 2018), timm's: a channel gate in every block",
    "vgg16": "torchvision's features; a stage ends with its pooling",
    "vgg16_bn": "torchvision's features; a stage ends with its pooling",
    "inception_v3": "timm's blocks, padded and cut after Mixed_6e as in wsolevaluation",
    "mobilenetv2_035": "timm; the 1280-channel convolution is the place `neck`",
    "mobilenetv2_050": "timm; with a `neck`",
    "mobilenetv2_100": "timm; with a `neck`",
    "mobilenet_v2": "torchvision; with a `neck`",
    "squeezenet1_1": "torchvision; its own classifier is a CAM head (`head.name: native`)",
    "efficientnet_b0": "timm; with a `neck`",
    "vgg_att": "LTPA's VGG for 32x32 or 80x80 images, stages L1 to L3 and its own global vector",
    "resnet164_att": "LTPA's ResNet-164 for 32x32 images, stages L1 to L3 and its own global vector",
    "attention56": "Residual Attention Network with three attention modules; maps of its own",
    "attention92": "Residual Attention Network with six",
    "hourglass_stem": "what stands before stacked hourglasses (`--attention hourglass`)",
    "densenet121": "timm",
    "convnext_tiny": "timm; has no stage1, strides are fixed",
}

HEADS: dict[str, str] = {
    "cam": "1x1 convolution, global average pooling",
    "cam_relu": "1x1 convolution, ReLU, global average pooling (SqueezeNet's way)",
    "cam_conv": "3x3 convolution and ReLU before it (wsolevaluation's VGG16)",
    "cam_conv2": "twice dropout, 3x3 convolution and ReLU before it (wsolevaluation's InceptionV3)",
    "class_token": "a linear layer on the class token of a ViT: no class maps, read by `class_token`",
    "native": "the backbone's own classifier, where it is a CAM head",
    "classifier": "the backbone's own classifier, whatever it is: no class maps, read by torchcam",
}
