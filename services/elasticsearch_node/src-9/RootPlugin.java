package org.elasticsearch.plugins;

import java.util.*;
import java.util.function.*;
import org.elasticsearch.Version;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.rest.*;

/** RootHandler, and how Elasticsearch 9 has a plugin described. */
public class RootPlugin extends Plugin implements ActionPlugin {
    @Override
    public Collection<RestHandler> getRestHandlers(RestHandlersServices services, Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> feat) {
        return List.of(new RootHandler());
    }

    static PluginDescriptor described(Class<?> c) {
        return new PluginDescriptor(c.getSimpleName(), "classpath plugin", "1", Version.CURRENT.toString(), "21",
            c.getName(), null, List.of(), false, false, false, false, null);
    }
}
