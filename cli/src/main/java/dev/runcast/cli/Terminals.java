package dev.runcast.cli;

import java.io.Console;
import java.lang.reflect.InvocationTargetException;

/** Whether somebody looks at what is printed. */
public final class Terminals {
    private Terminals() {}

    /** Whether both standard input and output are a terminal. */
    @SuppressWarnings("SystemConsoleNull") // what it warns of is what this method is for
    public static boolean interactive() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        // From Java 22 on there is a console also where there is no terminal, and it can say so (JDK-8308591); before,
        // there is none then.
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
