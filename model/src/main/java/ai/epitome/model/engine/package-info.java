/// Continues sequences token by token: [ai.epitome.model.engine.Engine] many at once, in blocks of keys and values that
/// they share; [ai.epitome.model.engine.Session] one. Which token comes next is up to others
/// ([ai.epitome.model.engine.Continuation]).
package ai.epitome.model.engine;
