/// Context mixing: many simple models of the next bit, mixed in the logistic domain by weights that are learned as the
/// bits come. Nothing is stored or trained beforehand. Everything is integer arithmetic on tables made by exact rules,
/// so a predictor gives the same probabilities on every machine.
///
/// Sources of the techniques: M. Mahoney, *Adaptive weighing of context models for lossless data compression* (Florida
/// Tech. CS-2005-16, 2005) and *Data Compression Explained* (2010 to 2013), chapter 4: bit histories, indirect
/// modelling, logistic mixing with selected weight sets, adaptive probability maps, match models; C. Mattern,
/// *Mixing strategies in data compression* (DCC 2012): logistic mixing as gradient descent on coding cost.
///
/// Numbers: a *probability* is that of a 1, of [ai.epitome.compress.BitPredictor#ONE]; a *stretched* one is
/// `ln(p / (1 - p))` in units of 1/256 ([Logistic]).
package ai.epitome.compress.mix;
