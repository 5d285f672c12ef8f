/// What models are asked, read in one way wherever they answer: to be rewarded, compared, or paired.
package ai.epitome.train.prompt;
