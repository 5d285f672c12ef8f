/// The models that are served, and how one replaces another while requests are under way.
package ai.epitome.serve.registry;
