package org.elasticsearch.node;

import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.plugins.Plugin;

/** Usage: LocalNode HOME HTTP_PORT TRANSPORT_PORT PLUGIN   A one-node Elasticsearch 7.17. */
public class LocalNode extends Node {
    LocalNode(Environment environment, Class<? extends Plugin> plugin) {
        super(environment, List.of(plugin), true);
    }

    public static void main(String[] given) throws Exception {
        Path home = Path.of(given[0]).toAbsolutePath();
        Files.createDirectories(home.resolve("config"));
        Settings settings = Settings.builder()
            .put("path.home", home.toString()).put("path.data", home.resolve("data").toString()).put("path.logs", home.resolve("logs").toString())
            .put("cluster.name", "local").put("node.name", "n1")
            .put("network.host", "127.0.0.1").put("http.port", given[1]).put("transport.port", given[2])
            .put("discovery.type", "single-node").put("cluster.routing.allocation.disk.threshold_enabled", false)
            .put("node.processors", 2).build();
        LogConfigurator.setNodeName("n1");
        LogConfigurator.configureWithoutConfig(settings);
        LocalNode node = new LocalNode(new Environment(settings, home.resolve("config")), Class.forName(given[3]).asSubclass(Plugin.class));
        CountDownLatch done = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try { node.close(); node.awaitClose(10, TimeUnit.SECONDS); } catch (Exception e) { e.printStackTrace(); }
            done.countDown();
        }));
        node.start();
        done.await();
    }
}
