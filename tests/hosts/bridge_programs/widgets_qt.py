"""Qt's widgets in a window, drawn and changed in fixed turns; then the end."""

import sys

from PyQt5 import QtCore, QtGui, QtWidgets, sip  # type: ignore[import-not-found,unused-ignore]

application = QtWidgets.QApplication(sys.argv)
window = QtWidgets.QWidget()
window.setWindowTitle("widgets")
window.setGeometry(30, 20, 400, 300)
layout = QtWidgets.QVBoxLayout(window)
line = QtWidgets.QLineEdit("some text")
table = QtWidgets.QTableWidget(3, 2)
slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
button = QtWidgets.QPushButton("Press")
for widget in (line, table, slider, button):
    layout.addWidget(widget)
button.setFocus()  # no blinking cursor
window.show()


def settle() -> None:
    for _ in range(4):
        QtCore.QThread.msleep(60)
        application.processEvents()


settle()
slider.setValue(40)
settle()
application.clipboard().setText("from Qt")
window.resize(300, 320)
settle()
other = QtWidgets.QLabel("another window")
other.setGeometry(300, 200, 150, 80)
other.show()
settle()
other.close()
sip.delete(other)  # what is left is deleted in an order of chance
pixmap = QtGui.QPixmap(64, 64)
pixmap.fill(QtGui.QColor("teal"))
button.setIcon(QtGui.QIcon(pixmap))
settle()
print(application.clipboard().text(), window.geometry())
window.close()
sip.delete(window)
