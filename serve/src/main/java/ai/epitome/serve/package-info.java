/// The HTTP service: [EpitomeServer] puts together what the packages below it do. The routes of OpenAI's API are in
/// [OpenAiRoutes], those of the page and of whoever runs the service in [EpitomeServer].
package ai.epitome.serve;
