"""Made by protocol/generate.py from xcb-proto; which requests exist and which are answered.

name: (known, replies, several, sends_fds, gets_fds, events, errors, generic)

The first five and the last are sets, bit n for minor opcode (core: opcode, generic: event type) n;
`events` and `errors` are at least how many codes the extension takes.
"""

TABLES = {
    "": (
        0x80FFFFFFFFFFFFFFFFFFFFFFFFFFFFFE,
        0xF054AE18F80200001799C084B3C008,
        0x4000000000000,
        0,
        0,
        36,
        18,
        0,
    ),
    "BIG-REQUESTS": (0x1, 0x1, 0, 0, 0, 0, 0, 0),
    "Composite": (0x1FF, 0x81, 0, 0, 0, 0, 0, 0),
    "DAMAGE": (0x1F, 0x1, 0, 0, 0, 1, 1, 0),
    "DOUBLE-BUFFER": (0xFF, 0xC1, 0, 0, 0, 0, 1, 0),
    "DPMS": (0xFF, 0x87, 0, 0, 0, 0, 0, 0),
    "DRI2": (0x3FFF, 0x2FE7, 0, 0, 0, 2, 0, 0),
    "DRI3": (0x3FF, 0x16B, 0, 0x94, 0x12A, 0, 0, 0),
    "GLX": (
        0x7FFFFFFFFFFFFFFFE0000000000000000FFFFFFFFE,
        0x7DFFFEBFFFFFFF99000000000000000000262E40E0,
        0,
        0,
        0,
        2,
        14,
        0,
    ),
    "Generic Event Extension": (0x1, 0x1, 0, 0, 0, 0, 0, 0),
    "MIT-SCREEN-SAVER": (0x3F, 0x3, 0, 0, 0, 1, 0, 0),
    "MIT-SHM": (0xFF, 0x91, 0, 0x40, 0x80, 1, 1, 0),
    "Present": (0x1F, 0x11, 0, 0, 0, 1, 0, 0xF),
    "RANDR": (0x7FFFFFFFFFF5, 0x2633BAF18F65, 0, 0, 0x200000000000, 2, 4, 0),
    "RECORD": (0xFF, 0x31, 0x20, 0, 0, 0, 1, 0),
    "RENDER": (0x1FFFDE3DF7, 0x20000007, 0, 0, 0, 0, 5, 0),
    "SELinux": (0x7FFFFF, 0x7D7AD5, 0, 0, 0, 0, 0, 0),
    "SHAPE": (0x1FF, 0x1A1, 0, 0, 0, 1, 0, 0),
    "SYNC": (0xFFFFF, 0x42423, 0, 0, 0, 2, 2, 0),
    "X-Resource": (0x3F, 0x3F, 0, 0, 0, 0, 0, 0),
    "XC-MISC": (0x7, 0x7, 0, 0, 0, 0, 0, 0),
    "XEVIE": (0x1F, 0x1F, 0, 0, 0, 0, 0, 0),
    "XFIXES": (0x7FFFFFFFF, 0x403080011, 0, 0, 0, 2, 1, 0),
    "XFree86-DRI": (0xFFF, 0xEB7, 0, 0, 0, 0, 0, 0),
    "XFree86-VidModeExtension": (0x1FFFFF, 0x1B2A53, 0, 0, 0, 0, 7, 0),
    "XINERAMA": (0x3F, 0x3F, 0, 0, 0, 0, 0, 0),
    "XInputExtension": (0x3FFFFFFFFFFFFFFE, 0x194DA19E7D503EAE, 0, 0, 0, 17, 5, 0x1FFFFFFFE),
    "XKEYBOARD": (0x20000000000000000003E7FFFB, 0x20000000000000000001E2B551, 0, 0, 0, 1, 1, 0),
    "XTEST": (0xF, 0x3, 0, 0, 0, 0, 0, 0),
    "XVideo": (0xFFFFF, 0x3D00F, 0, 0, 0, 2, 3, 0),
    "XVideo-MotionCompensation": (0x1FF, 0x157, 0, 0, 0, 0, 0, 0),
    "XpExtension": (0x1FFFFFF, 0x1EB1053, 0, 0, 0, 2, 2, 0),
}
