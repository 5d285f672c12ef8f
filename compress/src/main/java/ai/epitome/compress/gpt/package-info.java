/// A GPT as predictor: the `exact` forward pass, integer frequencies, coding of blocks.
package ai.epitome.compress.gpt;
