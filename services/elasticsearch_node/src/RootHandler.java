package org.elasticsearch.plugins;

import java.util.*;
import org.elasticsearch.Build;
import org.elasticsearch.action.admin.cluster.state.ClusterStateResponse;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.rest.*;
import org.elasticsearch.rest.action.RestResponseListener;
import org.elasticsearch.xcontent.*;

/** GET / and HEAD /: in a distribution they come from modules/rest-root, which is not on Maven Central. */
class RootHandler extends BaseRestHandler {
    @Override public String getName() { return "main_action"; }

    @Override public List<Route> routes() { return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/")); }

    @Override protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        return channel -> client.admin().cluster().prepareState(TimeValue.timeValueSeconds(30)).clear().setMetadata(true).execute(
            new RestResponseListener<>(channel) {
                @Override public RestResponse buildResponse(ClusterStateResponse r) throws Exception {
                    Build c = Build.current();
                    XContentBuilder b = channel.newBuilder();
                    if (request.hasParam("pretty") == false) b.prettyPrint().lfAtEnd();
                    b.startObject().field("name", "n1").field("cluster_name", r.getClusterName().value())
                        .field("cluster_uuid", r.getState().metadata().clusterUUID())
                        .startObject("version").field("number", c.qualifiedVersion()).field("build_flavor", c.flavor())
                        .field("build_type", c.type().displayName()).field("build_hash", c.hash()).field("build_date", c.date())
                        .field("build_snapshot", c.isSnapshot())
                        .field("lucene_version", org.elasticsearch.index.IndexVersion.current().luceneVersion().toString())
                        .field("minimum_wire_compatibility_version", c.minWireCompatVersion())
                        .field("minimum_index_compatibility_version", c.minIndexCompatVersion())
                        .endObject().field("tagline", "You Know, for Search").endObject();
                    return new RestResponse(RestStatus.OK, b);
                }
            });
    }
}
