/// An interpreter of the Jinja that chat templates are written in: [ai.epitome.text.jinja.Template].
package ai.epitome.text.jinja;
