/// The service: `serve`, the program that works on its fine-tuning jobs, and `moderation`.
package ai.epitome.cli.serve;
