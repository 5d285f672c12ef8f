/// A run in a model's folder, whatever it trains: trainer, log and report put together.
package ai.epitome.train.run;
