import java.awt.Color;
import java.awt.Graphics;
import javax.swing.JButton;
import javax.swing.JFrame;
import javax.swing.JPanel;
import javax.swing.JTextField;
import javax.swing.SwingUtilities;

/** A Swing window with text, a button and lines; it stays until it is killed. */
public class Window {
    public static void main(String[] words) {
        SwingUtilities.invokeLater(() -> {
            JFrame frame = new JFrame("x11fwd");
            JPanel panel = new JPanel() {
                @Override
                protected void paintComponent(Graphics graphics) {
                    super.paintComponent(graphics);
                    for (int at = 0; at < 300; at += 7) {
                        graphics.setColor(new Color(at % 256, 80, 200 - at % 200));
                        graphics.drawLine(at, 40, 300 - at, 200);
                    }
                    graphics.fillOval(120, 90, 60, 60);
                }
            };
            JTextField field = new JTextField("Swing over X11");
            field.setFocusable(false);
            panel.add(field);
            panel.add(new JButton("Press"));
            frame.add(panel);
            frame.setBounds(40, 30, 320, 260);
            frame.setVisible(true);
            frame.getRootPane().requestFocusInWindow();
        });
    }
}
