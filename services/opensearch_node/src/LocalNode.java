package org.opensearch.node;

import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import org.opensearch.Version;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.plugins.PluginInfo;

/** Usage: LocalNode HOME HTTP_PORT TRANSPORT_PORT PLUGIN...   A one-node OpenSearch 2 or 3, with HOME/config/opensearch.yml. */
public class LocalNode extends Node {
    @SuppressWarnings({"unchecked", "rawtypes"})
    LocalNode(Environment environment, List<String> plugins) throws ClassNotFoundException {
        super(environment, (Collection) loaded(plugins), true);
    }

    private static List<Object> loaded(List<String> plugins) throws ClassNotFoundException {
        List<Object> loaded = new ArrayList<>();
        for (String plugin : plugins) loaded.add(Version.CURRENT.major < 3 ? Class.forName(plugin) : described(plugin));
        return loaded;
    }

    /** OpenSearch 3 wants a description in place of the class. */
    private static PluginInfo described(String plugin) {
        return new PluginInfo(plugin, "", "1", Version.CURRENT, "11", plugin, null, List.of(), false);
    }

    public static void main(String[] given) throws Exception {
        Path home = Path.of(given[0]).toAbsolutePath();
        Files.createDirectories(home.resolve("config"));
        Path more = home.resolve("config").resolve("opensearch.yml");
        Settings.Builder builder = Settings.builder();
        if (Files.exists(more)) builder.loadFromPath(more);
        Settings settings = builder
            .put("path.home", home.toString()).put("path.data", home.resolve("data").toString()).put("path.logs", home.resolve("logs").toString())
            .put("cluster.name", "local").put("node.name", "n1")
            .put("network.host", "127.0.0.1").put("http.port", given[1]).put("transport.port", given[2])
            .put("discovery.type", "single-node").put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("node.processors", 2).build();
        LogConfigurator.setNodeName("n1");
        LogConfigurator.configureWithoutConfig(settings);
        LocalNode node = new LocalNode(new Environment(settings, home.resolve("config")), List.of(given).subList(3, given.length));
        CountDownLatch done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { node.close(); node.awaitClose(10, TimeUnit.SECONDS); } catch (Exception e) { e.printStackTrace(); }
            done.countDown();
        }));
        node.start();
        done.await();
    }
}
