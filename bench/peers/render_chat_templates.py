"""Renders chat templates with Jinja2, in the environment that transformers gives them, for tests to compare with.

    python render_chat_templates.py conversations.json FOLDER_OF_TEMPLATES > expected.json
    python render_chat_templates.py --cases cases.json > new-cases.json
    python render_chat_templates.py --ids conversations.json FOLDER_OF_TOKENIZERS > ids.json    # wants tokenizers

A result is the beginning of the text's SHA-256 in hexadecimal (with --cases the text itself, as "expected" of the case),
or null where rendering fails. The files are in text/src/test/resources/ai/epitome/text/jinja.
"""
import datetime
import glob
import gzip
import hashlib
import json
import os
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2026, 11, 6, 9, 5, 3)


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    # Marked as safe, a text makes Jinja2 escape whatever is joined to it for HTML: Functionary's tools would come out as
    # {&#34;name&#34;: ...}. No model wants that, llama.cpp does not do it, and neither does Epitome.
    env.filters["safe"] = str
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(source, context):
    try:
        return environment().from_string(source).render(**context)
    except Exception as e:
        print(f"{type(e).__name__}: {str(e)[:150]}", file=sys.stderr)
        return None


def templates(folder):
    for path in sorted(glob.glob(folder + "/**/*.jinja", recursive=True)):
        yield os.path.basename(path), open(path, newline="").read()
    for path in sorted(glob.glob(folder + "/**/tokenizer_config.json.gz", recursive=True)):
        yield os.path.basename(os.path.dirname(path)), json.load(gzip.open(path))["chat_template"]


def lines(items):
    return ",\n".join(items)


def ids(conversations, folder):
    """Token ids of some conversations, as Hugging Face's tokenizers give them."""
    from tokenizers import Tokenizer

    result = {}
    for path in sorted(glob.glob(folder + "/**/tokenizer.json.gz", recursive=True)):
        tokenizer = Tokenizer.from_str(gzip.open(path).read().decode())
        config = json.load(gzip.open(os.path.join(os.path.dirname(path), "tokenizer_config.json.gz")))
        of_model = result[os.path.basename(os.path.dirname(path))] = {}
        for conversation in conversations:
            context = {"add_generation_prompt": True, "bos_token": config["bos_token"], **conversation}
            name = context.pop("name")
            if name in ("turns", "tools, system", "reasoning_content", "two tool calls"):
                text = render(config["chat_template"], context)
                of_model[name] = tokenizer.encode(text, add_special_tokens=False).ids
    return result


def main():
    if sys.argv[1] == "--ids":
        print(json.dumps(ids(json.load(open(sys.argv[2])), sys.argv[3])))
        return
    if sys.argv[1] == "--cases":
        cases = json.load(open(sys.argv[2]))
        for case in cases:
            case["expected"] = render(case["template"], case.get("context", {}))
        print("[\n" + lines(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]")
        return
    conversations = json.load(open(sys.argv[1]))
    rendered = []
    for name, source in templates(sys.argv[2]):
        results = []
        for conversation in conversations:
            context = {"add_generation_prompt": False, "bos_token": "<s>", "eos_token": "</s>", **conversation}
            del context["name"]
            text = render(source, context)
            digest = None if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]
            results.append(f' {json.dumps(conversation["name"])}: {json.dumps(digest)}')
        rendered.append(f"{json.dumps(name)}: {{\n{lines(results)}\n}}")
    print("{\n" + lines(rendered) + "\n}")


main()
