/// Models and adapters as folders that Hugging Face tools open: [ai.epitome.model.huggingface.ModelFolder],
/// [ai.epitome.model.huggingface.AdapterFolder], and the safetensors files in them.
package ai.epitome.model.huggingface;
