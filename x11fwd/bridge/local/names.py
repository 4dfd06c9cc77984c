"""Names that toolkits ask the X server for when they start; `prefetch` asks for them ahead.

Collected from traces of Tk, Qt 5, GTK 3, Xaw (xterm, xclock, xcalc), and from the sources of Java's AWT and
of the window manager specifications.
"""

from __future__ import annotations

_ATOMS = """
    @server=fcitx @server=ibus ADD_STYLE_NAME ADOBE ARC ATOM ATOM_PAIR AT_SPI_BUS AVERAGE_WIDTH BACKGROUND
    BITMAP CARDINAL CHARACTER_POSITION CHARSET_ENCODING CHARSET_REGISTRY CLASS CLIENT_WINDOW CLIPBOARD
    CLIPBOARD_MANAGER CLIP_TEMPORARY COLORMAP COLUMN_NUMBER COMPOUND_TEXT CURSOR CUT_BUFFER0 Comm DELETE
    DRAWABLE DTWM_IS_RUNNING DT_SM_WINDOW_INFO EDID EDID_DATA ENLIGHTENMENT_COMMS ENLIGHTENMENT_DESKTOP
    Enabled FAMILY_NAME FIGURE_WIDTH FILE_NAME FLOAT FONT FOREGROUND FOUNDRY Float GDK_SELECTION GDK_VISUALS
    HOST_NAME INCR INTEGER InterpRegistry KWIN_RUNNING KWM_WIN_ICONIFIED KWM_WIN_MAXIMIZED LENGTH
    LINE_NUMBER LIST_LENGTH LOCALES MANAGER MODULE MULTIPLE NAME NULL OWNER_OS PIXEL_SIZE PIXMAP POINT
    POINT_SIZE PRIMARY PROCEDURE RECTANGLE RESOLUTION_X RESOLUTION_Y RESOURCE_MANAGER RGB_COLOR_MAP
    SAVE_TARGETS SAWMILL_TIMESTAMP SCREEN_RESOURCES SECONDARY SETWIDTH_NAME SLANT SM_CLIENT_ID SPACING SPAN
    STRING TARGETS TASK TEXT TIMESTAMP TK_APPLICATION TK_WINDOW TRANSPORT USER UTF-8 UTF8_STRING VISUALID
    WEIGHT_NAME WINDOW WM_CHANGE_STATE WM_CLASS WM_CLIENT_LEADER WM_CLIENT_MACHINE WM_COLORMAP_WINDOWS
    WM_COMMAND WM_DELETE_WINDOW WM_HINTS WM_ICON_NAME WM_ICON_SIZE WM_IGNORE WM_LOCALE_NAME WM_NAME
    WM_NORMAL_HINTS WM_PROTOCOLS WM_SAVE_YOURSELF WM_SIZE_HINTS WM_STATE WM_TAKE_FOCUS WM_TRANSIENT_FOR
    WM_WINDOW_ROLE WM_ZOOM_HINTS XAWT_SELECTION XDCCC_LINEAR_RGB_CORRECTION XDCCC_LINEAR_RGB_MATRICES
    XFree86_DDC_EDID1_RAWDATA XFree86_has_VT XIM_SERVERS XKLAVIER_ALLOW_SECONDARY XKLAVIER_STATE
    XKLAVIER_TRANSPARENT XSETTINGS XdndActionAsk XdndActionCopy XdndActionDirectSave XdndActionLink
    XdndActionList XdndActionMove XdndActionPrivate XdndAware XdndDirectSave0 XdndDrop XdndEnter
    XdndFinished XdndLeave XdndPosition XdndProxy XdndSelection XdndStatus XdndTypeList XmTRANSFER_FAILURE
    XmTRANSFER_SUCCESS _AWT_SUN_SHAPED _BLACKBOX_PID _COMPIZ_DECOR_DELETE_PIXMAP _COMPIZ_DECOR_PENDING
    _COMPIZ_DECOR_REQUEST _COMPIZ_TOOLKIT_ACTION _DEC_DEVICE_FONTNAMES _DT_SAVE_MODE _DT_SM_WINDOW_INFO
    _DT_WORKSPACE_CURRENT _E_FRAME_SIZE _GTK_APPLICATION_ID _GTK_APPLICATION_OBJECT_PATH
    _GTK_APP_MENU_OBJECT_PATH _GTK_EDGE_CONSTRAINTS _GTK_FRAME_EXTENTS _GTK_GET_TIMESTAMP
    _GTK_HIDE_TITLEBAR_WHEN_MAXIMIZED _GTK_LOAD_ICONTHEMES _GTK_MENUBAR_OBJECT_PATH _GTK_SHOW_WINDOW_MENU
    _GTK_STARTUP_ID _GTK_THEME_VARIANT _GTK_UNIQUE_BUS_NAME _GTK_WINDOW_OBJECT_PATH _GTK_WORKAREAS
    _ICEWM_WINOPTHINT _JAVA_AWT_TIME_REQUEST _KDE_NET_WM_COLOR_SCHEME _KDE_NET_WM_DESKTOP_FILE
    _KDE_NET_WM_FRAME_STRUT _KDE_NET_WM_WINDOW_TYPE_OVERRIDE _METACITY_RESTART_MESSAGE _MOTIF_ATOM_0
    _MOTIF_DRAG_AND_DROP_MESSAGE _MOTIF_DRAG_INITIATOR_INFO _MOTIF_DRAG_RECEIVER_INFO _MOTIF_DRAG_TARGETS
    _MOTIF_DRAG_WINDOW _MOTIF_WM_HINTS _MOTIF_WM_INFO _MOTIF_WM_MENU _MOTIF_WM_MESSAGES _NET_ACTIVE_WINDOW
    _NET_CLIENT_LIST _NET_CLIENT_LIST_STACKING _NET_CLOSE_WINDOW _NET_CURRENT_DESKTOP _NET_DESKTOP_GEOMETRY
    _NET_DESKTOP_LAYOUT _NET_DESKTOP_NAMES _NET_DESKTOP_VIEWPORT _NET_FRAME_EXTENTS _NET_MOVERESIZE_WINDOW
    _NET_NUMBER_OF_DESKTOPS _NET_REQUEST_FRAME_EXTENTS _NET_RESTACK_WINDOW _NET_SHOWING_DESKTOP
    _NET_STARTUP_ID _NET_STARTUP_INFO _NET_STARTUP_INFO_BEGIN _NET_SUPPORTED _NET_SUPPORTING_WM_CHECK
    _NET_SYSTEM_TRAY_MESSAGE_DATA _NET_SYSTEM_TRAY_OPCODE _NET_SYSTEM_TRAY_ORIENTATION _NET_SYSTEM_TRAY_S0
    _NET_SYSTEM_TRAY_VISUAL _NET_VIRTUAL_ROOTS _NET_WM_ACTION_CLOSE _NET_WM_ACTION_FULLSCREEN
    _NET_WM_ACTION_MAXIMIZE_HORZ _NET_WM_ACTION_MAXIMIZE_VERT _NET_WM_ACTION_MINIMIZE _NET_WM_ACTION_MOVE
    _NET_WM_ACTION_RESIZE _NET_WM_ALLOWED_ACTIONS _NET_WM_BYPASS_COMPOSITOR _NET_WM_CM_S0
    _NET_WM_CONTEXT_HELP _NET_WM_DESKTOP _NET_WM_FULLSCREEN_MONITORS _NET_WM_FULL_PLACEMENT
    _NET_WM_HANDLED_ICONS _NET_WM_ICON _NET_WM_ICON_GEOMETRY _NET_WM_ICON_NAME _NET_WM_MOVERESIZE
    _NET_WM_NAME _NET_WM_OPAQUE_REGION _NET_WM_PID _NET_WM_PING _NET_WM_STATE _NET_WM_STATE_ABOVE
    _NET_WM_STATE_BELOW _NET_WM_STATE_DEMANDS_ATTENTION _NET_WM_STATE_FOCUSED _NET_WM_STATE_FULLSCREEN
    _NET_WM_STATE_HIDDEN _NET_WM_STATE_MAXIMIZED_HORZ _NET_WM_STATE_MAXIMIZED_VERT _NET_WM_STATE_MODAL
    _NET_WM_STATE_SHADED _NET_WM_STATE_SKIP_PAGER _NET_WM_STATE_SKIP_TASKBAR _NET_WM_STATE_STAYS_ON_TOP
    _NET_WM_STATE_STICKY _NET_WM_STRUT _NET_WM_STRUT_PARTIAL _NET_WM_SYNC_REQUEST
    _NET_WM_SYNC_REQUEST_COUNTER _NET_WM_USER_TIME _NET_WM_USER_TIME_WINDOW _NET_WM_VISIBLE_ICON_NAME
    _NET_WM_VISIBLE_NAME _NET_WM_WINDOW_OPACITY _NET_WM_WINDOW_TYPE _NET_WM_WINDOW_TYPE_COMBO
    _NET_WM_WINDOW_TYPE_DESKTOP _NET_WM_WINDOW_TYPE_DIALOG _NET_WM_WINDOW_TYPE_DND _NET_WM_WINDOW_TYPE_DOCK
    _NET_WM_WINDOW_TYPE_DROPDOWN_MENU _NET_WM_WINDOW_TYPE_MENU _NET_WM_WINDOW_TYPE_NORMAL
    _NET_WM_WINDOW_TYPE_NOTIFICATION _NET_WM_WINDOW_TYPE_POPUP_MENU _NET_WM_WINDOW_TYPE_SPLASH
    _NET_WM_WINDOW_TYPE_TOOLBAR _NET_WM_WINDOW_TYPE_TOOLTIP _NET_WM_WINDOW_TYPE_UTILITY _NET_WORKAREA
    _OL_DECOR_CLOSE _OL_DECOR_DEL _OL_DECOR_HEADER _OL_DECOR_PIN _OL_DECOR_RESIZE _OL_WIN_ATTR
    _QT_CLIPBOARD_SENTINEL _QT_CLIP_TEMPORARY _QT_CLOSE_CONNECTION _QT_DESKTOP_PROPERTIES _QT_GET_TIMESTAMP
    _QT_INPUT_ENCODING _QT_SCROLL_DONE _QT_SELECTION _QT_SELECTION_SENTINEL _Q_XEMBED _SAWMILL_TIMESTAMP
    _SCREENSAVER_STATUS _SGI_DESKS_MANAGER _SUN_AWT_XEMBED_INFO _SUN_WM_PROTOCOLS _TIMESTAMP
    _WINDOWMAKER_NOTICEBOARD _WINDOWMAKER_WM_PROTOCOLS _WIN_PROTOCOLS _WIN_SUPPORTING_WM_CHECK _XEMBED
    _XEMBED_INFO _XIM_MOREDATA _XIM_PROTOCOL _XIM_XCONNECT _XKB_RULES_NAMES _XSETROOT_ID _XSETTINGS_S0
    _XSETTINGS_SETTINGS _XT_SELECTION_0 __SWM_ROOT __SWM_VROOT application/x-color application/x-qt-image
    chromium/x-web-custom-data cursor image/bmp image/jpeg image/png image/tiff text/html text/plain
    text/plain;charset=UTF-8 text/plain;charset=utf-8 text/uri-list
"""
# those with blanks in them
_ATOMS_WITH_BLANKS = (
    "Abs Distance",
    "Abs MT Orientation",
    "Abs MT Position X",
    "Abs MT Position Y",
    "Abs MT Pressure",
    "Abs MT Touch Major",
    "Abs MT Touch Minor",
    "Abs MT Tracking ID",
    "Abs Pressure",
    "Abs Tilt X",
    "Abs Tilt Y",
    "Abs Wheel",
    "Abs X",
    "Abs Y",
    "Button Horiz Wheel Left",
    "Button Horiz Wheel Right",
    "Button Left",
    "Button Middle",
    "Button Right",
    "Button Wheel Down",
    "Button Wheel Up",
    "Coordinate Transformation Matrix",
    "Custom Data",
    "Custom Init",
    "Device Accel Profile",
    "Device Node",
    "Device Product ID",
    "Max Contacts",
    "Rel Horiz Scroll",
    "Rel Horiz Wheel",
    "Rel Vert Scroll",
    "Rel Vert Wheel",
    "Rel X",
    "Rel Y",
    "Wacom Serial IDs",
    "XTEST Device",
    "libinput Tapping Enabled",
)
_COLORS = """
    aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown
    burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan
    darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid
    darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet
    deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro
    ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki
    lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrod lightgray
    lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslateblue lightslategray
    lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue mediumorchid
    mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred
    midnightblue mintcream mistyrose moccasin navajowhite navy navyblue oldlace olive olivedrab orange
    orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum
    powderblue purple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver
    skyblue slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise
    violet violetred wheat white whitesmoke yellow yellowgreen red3 green3 yellow3 blue2 magenta3 cyan3
    gray50 gray90 grey50 gray75 gray85 grey85 gray25 blue4 red2 green4 gray10 gray20 gray30 gray40 gray60
    gray70 gray80 gray95 gray99 grey90 gray93 lightblue3
"""
_EXTENSIONS = """
    BIG-REQUESTS XKEYBOARD RENDER XFIXES RANDR SHAPE SYNC XInputExtension GLX XINERAMA DAMAGE Composite XTEST
    DOUBLE-BUFFER DPMS MIT-SCREEN-SAVER XC-MISC RECORD X-Resource XVideo XFree86-VidModeExtension
    XFree86-Bigfont SECURITY MIT-SUNDRY-NONSTANDARD XpExtension SGI-GLX NV-GLX NV-CONTROL SELinux
    XIE XVideo-MotionCompensation
"""
_ROOT_PROPERTIES = """
    RESOURCE_MANAGER SCREEN_RESOURCES WM_ICON_SIZE XDCCC_LINEAR_RGB_CORRECTION XDCCC_LINEAR_RGB_MATRICES
    _NET_SUPPORTING_WM_CHECK _NET_SUPPORTED _NET_WORKAREA _GTK_WORKAREAS _NET_VIRTUAL_ROOTS
    _NET_NUMBER_OF_DESKTOPS _NET_DESKTOP_GEOMETRY _WIN_SUPPORTING_WM_CHECK _MOTIF_WM_INFO GDK_VISUALS
    AT_SPI_BUS XIM_SERVERS _QT_DESKTOP_PROPERTIES _XKB_RULES_NAMES _XSETROOT_ID __SWM_VROOT
    XFree86_has_VT _MOTIF_DRAG_WINDOW _ICEWM_WINOPTHINT ENLIGHTENMENT_COMMS KWIN_RUNNING _DT_SM_WINDOW_INFO
"""
# With the number of a screen behind them; their owners say whether there is such a manager
_MANAGER_SELECTIONS = ("_NET_WM_CM_S", "_XSETTINGS_S", "WM_S")
# Xt's default font set (libXt, XtDefaultFontSet) in the character sets of libX11's UTF-8 locales, each asked
# for in three ways (libX11, modules/om/generic/omGeneric.c)
_XT_FONTS = "-*-*-*-R-*-*-*-120-*-*-*-*-"
_CHARACTER_SETS = """
    ISO8859-1 ISO8859-2 ISO8859-3 ISO8859-4 ISO8859-5 KOI8-R ISO8859-7 ISO8859-9 ISO8859-13 ISO8859-14
    ISO8859-15 JISX0208.1983-0 KSC5601.1987-0 GB2312.1980-0 JISX0201.1976-0 ISO10646-1
"""
FONTS = (
    "fixed",
    "cursor",
    "nil2",
    "6x13",
    "8x13",
    "9x15",
    _XT_FONTS + "ISO8859-*",
    "-Misc-Fixed-bold-R-*-*-13-120-75-75-C-60-ISO8859-1",
    "-Misc-Fixed-bold-R-*-*-13-120-75-75-C-*-ISO8859-1",
    "-Misc-Fixed-medium-R-*-*-13-120-75-75-C-120-ISO10646-1",
    "-Misc-Fixed-bold-R-*-*-13-120-75-75-C-120-ISO10646-1",
    "-misc-fixed-medium-r-semicondensed--13-120-75-75-c-60-iso8859-1",
    "-misc-fixed-medium-r-semicondensed--13-120-75-75-c-60-iso10646-1",
    "-misc-fixed-bold-r-semicondensed--13-120-75-75-c-60-iso8859-1",
    "-adobe-symbol-*-*-*-*-*-120-*-*-*-*-*-*",
)


def atoms() -> list[bytes]:
    """Names that are interned ahead; those that nobody used before are new atoms then."""
    return [one.encode("ascii") for one in (*_ATOMS.split(), *_ATOMS_WITH_BLANKS)]


def colors() -> list[bytes]:
    """Names of colours, in lower case: the X server does not look at it."""
    return [one.encode("ascii") for one in _COLORS.split()]


def extensions() -> list[bytes]:
    """Names of extensions; those that need this machine are absent without asking."""
    return [*(one.encode("ascii") for one in _EXTENSIONS.split()), b"Generic Event Extension"]


def root_properties() -> list[bytes]:
    """Names of properties of root windows."""
    return [one.encode("ascii") for one in _ROOT_PROPERTIES.split()]


def manager_selections(screens: int) -> list[bytes]:
    """Names of selections of so many screens."""
    return [f"{name}{screen}".encode("ascii") for screen in range(screens) for name in _MANAGER_SELECTIONS]


def font_patterns() -> list[bytes]:
    """Patterns for ListFonts of one name."""
    starts = (_XT_FONTS, "*-", "*-*-")
    found = [start + one for one in _CHARACTER_SETS.split() for start in starts]
    return [one.encode("ascii") for one in found]
