"""Which requests are answered from facts, and which requests change those; `facts` uses it."""

from typing import TYPE_CHECKING, Dict, Tuple

from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.topics import CONSTANT, DEVICES, FONTS, KEYBOARD, POINTER, ROOT_WINDOWS, SCREENS

if TYPE_CHECKING:
    from x11fwd.bridge.remote.rules.base import Key

# Version requests tell the X server whom it talks to: they travel all the same. Their answers do not change
# (each extension's specification, "initialization").
VERSIONS = (
    ("BIG-REQUESTS", 0),
    ("Composite", 0),
    ("DAMAGE", 0),
    ("DOUBLE-BUFFER", 0),
    ("DPMS", 0),
    ("GLX", 7),
    ("Generic Event Extension", 0),
    ("MIT-SCREEN-SAVER", 0),
    ("RANDR", 0),
    ("RECORD", 0),
    ("RENDER", 0),
    ("SHAPE", 0),
    ("SYNC", 0),
    ("X-Resource", 0),
    ("XC-MISC", 0),
    ("XFIXES", 0),
    ("XINERAMA", 0),
    ("XInputExtension", 1),
    ("XInputExtension", 47),
    ("XKEYBOARD", 0),
    ("XTEST", 0),
    ("XVideo", 0),
)
# What is asked without changing anything, and what its answer depends on. GLX: visuals, configurations and
# strings of the server (GLX 1.4, chapter 3.3). RENDER: picture formats (RENDER, chapter 7), with the order of
# subpixels, which turns with the screen. RANDR 1.5, chapter 7: every change is announced. XKB protocol,
# chapters 10 to 16 (maps, compatibility, indicator maps, names) likewise; not here is what changes with each
# key: state and indicators. XI2 6 (devices, their properties). Nobody tells of
# the attributes of roots (others' event masks), so they are asked every second, as the focus is.
KINDS: "Dict[bytes, Tuple[Key, ...]]" = {
    CONSTANT: (
        ("GLX", 14),
        ("GLX", 18),
        ("GLX", 19),
        ("GLX", 21),
        ("DOUBLE-BUFFER", 6),
        ("DPMS", 1),
    ),
    SCREENS: (
        (CORE, 14),
        ("RENDER", 1),
        ("RENDER", 2),
        ("RANDR", 5),
        ("RANDR", 6),
        ("RANDR", 9),
        ("RANDR", 10),
        ("RANDR", 15),
        ("RANDR", 20),
        ("RANDR", 22),
        ("RANDR", 25),
        ("RANDR", 31),
        ("RANDR", 32),
        ("RANDR", 42),
        ("XINERAMA", 1),
        ("XINERAMA", 2),
        ("XINERAMA", 3),
        ("XINERAMA", 4),
        ("XINERAMA", 5),
    ),
    KEYBOARD: (
        (CORE, 101),
        (CORE, 119),
        ("XKEYBOARD", 6),
        ("XKEYBOARD", 8),
        ("XKEYBOARD", 10),
        ("XKEYBOARD", 13),
        ("XKEYBOARD", 17),
        ("XKEYBOARD", 24),
    ),
    POINTER: ((CORE, 117),),
    ROOT_WINDOWS: ((CORE, 3),),
    DEVICES: (("XInputExtension", 2), ("XInputExtension", 48), ("XInputExtension", 59)),
    FONTS: ((CORE, 49), (CORE, 50), (CORE, 52)),
}
# Requests of programs that change what is known: topics, never known again.
CHANGES: "Dict[Key, Tuple[bytes, ...]]" = {
    (CORE, 51): (FONTS,),  # SetFontPath
    (CORE, 100): (KEYBOARD,),  # ChangeKeyboardMapping
    (CORE, 102): (KEYBOARD,),  # ChangeKeyboardControl: repeat of keys is in XKB's controls
    (CORE, 116): (POINTER,),  # SetPointerMapping
    (CORE, 118): (KEYBOARD,),  # SetModifierMapping
    ("RANDR", 2): (SCREENS,),
    ("RANDR", 7): (SCREENS,),
    ("RANDR", 11): (SCREENS,),
    ("RANDR", 12): (SCREENS,),
    ("RANDR", 13): (SCREENS,),
    ("RANDR", 14): (SCREENS,),
    ("RANDR", 16): (SCREENS,),
    ("RANDR", 17): (SCREENS,),
    ("RANDR", 18): (SCREENS,),
    ("RANDR", 19): (SCREENS,),
    ("RANDR", 21): (SCREENS,),
    ("RANDR", 26): (SCREENS,),
    ("RANDR", 29): (SCREENS,),
    ("RANDR", 30): (SCREENS,),
    ("RANDR", 34): (SCREENS,),
    ("RANDR", 35): (SCREENS,),
    ("RANDR", 43): (SCREENS,),
    ("RANDR", 44): (SCREENS,),
    ("XFree86-VidModeExtension", 2): (SCREENS,),
    ("XFree86-VidModeExtension", 3): (SCREENS,),
    ("XFree86-VidModeExtension", 7): (SCREENS,),
    ("XFree86-VidModeExtension", 8): (SCREENS,),
    ("XFree86-VidModeExtension", 10): (SCREENS,),
    ("XInputExtension", 5): (DEVICES,),
    ("XInputExtension", 11): (DEVICES, KEYBOARD),
    ("XInputExtension", 12): (DEVICES, POINTER),
    ("XInputExtension", 23): (KEYBOARD,),
    ("XInputExtension", 25): (KEYBOARD,),
    ("XInputExtension", 27): (KEYBOARD,),
    ("XInputExtension", 29): (POINTER,),
    ("XInputExtension", 33): (DEVICES,),
    ("XInputExtension", 35): (DEVICES,),
    ("XInputExtension", 37): (DEVICES,),
    ("XInputExtension", 38): (DEVICES,),
    ("XInputExtension", 43): (DEVICES, KEYBOARD, POINTER),
    ("XInputExtension", 44): (DEVICES, KEYBOARD, POINTER),
    ("XInputExtension", 57): (DEVICES,),
    ("XInputExtension", 58): (DEVICES,),
    ("XKEYBOARD", 7): (KEYBOARD,),
    ("XKEYBOARD", 9): (KEYBOARD,),
    ("XKEYBOARD", 11): (KEYBOARD,),
    ("XKEYBOARD", 14): (KEYBOARD,),
    ("XKEYBOARD", 16): (KEYBOARD,),
    ("XKEYBOARD", 18): (KEYBOARD,),
    ("XKEYBOARD", 23): (KEYBOARD,),
    ("XKEYBOARD", 25): (KEYBOARD,),
}
TOPIC_OF = {kind: topic for topic, kinds in KINDS.items() for kind in kinds}
