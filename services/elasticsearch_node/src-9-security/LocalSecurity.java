package org.elasticsearch.xpack.security;

import java.util.*;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.email.UAX29URLEmailTokenizer;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.analysis.*;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;

/**
 * Security without SAML, whose libraries are not on Maven Central. The index of its users wants parts of modules/analysis-common,
 * which is not there either, to search for e-mail addresses: here are some of the same names.
 */
public class LocalSecurity extends Security implements AnalysisPlugin {
    public LocalSecurity(Settings settings) { super(settings); }

    @Override public List<ActionHandler> getActions() {
        return super.getActions().stream().filter(each -> each.getTransportAction().getName().contains("Saml") == false).toList();
    }

    @Override public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of("pattern_capture", (index, environment, name, settings) -> new TokenFilterFactory() {
            @Override public String name() { return name; }
            @Override public TokenStream create(TokenStream tokens) { return tokens; }
        });
    }

    @Override public List<PreConfiguredTokenFilter> getPreConfiguredTokenFilters() {
        return List.of(PreConfiguredTokenFilter.singleton("unique", false, tokens -> tokens));
    }

    @Override public List<PreConfiguredTokenizer> getPreConfiguredTokenizers() {
        return List.of(PreConfiguredTokenizer.singleton("uax_url_email", UAX29URLEmailTokenizer::new));
    }
}
