/** Trino's server, until its standard input ends. The class that otherwise starts it is on no Maven repository. */
public final class Main {
    public static void main(String[] release) throws java.io.IOException {
        new io.trino.server.Server().start(release[0]);
        while (System.in.read() >= 0) {}
        System.exit(0);
    }
}
