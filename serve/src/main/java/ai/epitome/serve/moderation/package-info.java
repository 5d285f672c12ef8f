/// Whether texts are ones that a service may not want: [ai.epitome.serve.moderation.Moderator].
package ai.epitome.serve.moderation;
