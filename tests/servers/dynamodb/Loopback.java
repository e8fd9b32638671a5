import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import software.amazon.dynamodb.services.local.main.ServerRunner;
import software.amazon.dynamodb.services.local.server.DynamoDBProxyServer;

/**
 * DynamoDB Local listens on every interface, and has no option against it: its connector is told before it opens, and
 * takes a free port.
 */
public final class Loopback {
    public static void main(String[] words) throws Exception {
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(words);
        var field = DynamoDBProxyServer.class.getDeclaredField("server");
        field.setAccessible(true);
        ServerConnector open = null;
        for (Connector connector : ((Server) field.get(local)).getConnectors()) {
            open = (ServerConnector) connector;
            open.setHost("127.0.0.1");
            open.setPort(0);
        }
        local.start();
        System.out.println("listening on " + open.getLocalPort());
        local.join();
    }
}
