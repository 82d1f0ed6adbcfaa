#!/usr/bin/env python3
"""Writes seeds/TARGET/* from samples/ and from the short texts below. The result is committed: python3 fuzz/seeds.py"""
import json
import pathlib
import shutil
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = HERE.parent / "samples"
SEEDS = HERE / "seeds"
SPLIT = b"\x1e"


def put(target, name, data):
    if isinstance(data, str):
        data = data.encode()
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def joined(*parts):
    return SPLIT.join(part.encode() if isinstance(part, str) else part for part in parts)


def member(name, path, most=24_000):
    with zipfile.ZipFile(SAMPLES / name) as archive:
        return archive.read(path)[:most] if path in archive.namelist() else b""


W = '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>%s</w:body></w:document>'
PDF = """1 0 obj
<</Type/Catalog/Pages 2 0 R>>
endobj
2 0 obj
<</Type/Pages/Kids[3 0 R]/Count 1>>
endobj
3 0 obj
<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>
endobj
4 0 obj
<</Length 77>>
stream
BT /F1 12 Tf 20 250 Td (Green tea is steeped at 70 degrees.) Tj ET q 1 0 0 1 5 5 cm Q
endstream
endobj
5 0 obj
<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>
endobj
trailer
<</Root 1 0 R/Size 6>>
startxref
0
%%EOF
"""
ARTICLE = """# Tea

Green tea is steeped at 70 to 80 °C. It grew. [1][2] Dr. Smith said (p. 3): “No.” [unsupported]

- one `code` item
- two

| a | b |
|---|---|
| 1 | \\| |

<b onclick=x>bold</b> <script>alert(1)</script> [link](javascript:alert(1)) ![i](data:text/html,x "t") <a href="&#106;avascript:x">

## Sources

1. <a id="source-1"></a>https://example.com/
"""


def files():
    for at, name in enumerate(["faq.md", "text/harvest.csv", "text/page.html"]):
        put("file_any", f"sample-{at}", bytes([[4, 2, 5][at]]) + (SAMPLES / name).read_bytes())
    put("file_any", "zip", b"\x00" + (SAMPLES / "harvest.xlsx").read_bytes())
    put("file_any", "pdf", b"\x07%PDF-1.7\n" + PDF.encode())
    put("file_any", "front", b"\x04---\ntitle: A\n---\n# B\n\n> c\n\n1. d\n2. e\n\n```\nf\n```\n[g]: /h\n[g]\n")
    put("file_any", "semicolons", "\x02a;b;c\r\n1,5;\"x\"\"y\";\r\n\r\n2;3;4;5\r\n")
    put("file_any", "utf-16", b"\x01" + "Grüße aus Köln. Это чай.\n\nEnde".encode("utf-16"))
    put("file_any", "latin", b"\x01" + "Grüße aus Köln, le café déjà bu.\n- x\n- y\n".encode("latin-1"))
    put("file_pdf", "small", PDF)
    put("file_pdf", "guide", (SAMPLES / "brew-guide.pdf").read_bytes().split(b"\n", 1)[1])
    for sample in sorted((HERE.parent / "crates/integrations/images/tests/samples").iterdir()):
        put("picture", sample.name, sample.read_bytes())
    put("picture", "gif", b"GIF89a\1\0\1\0\x80\0\0\xff\0\0\0\0\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;")
    body = W % (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Tea</w:t></w:r></w:p><w:p><w:pPr><w:numPr><w:ilvl w:val="0"/>'
        "</w:numPr></w:pPr><w:r><w:t xml:space=\"preserve\"> item</w:t><w:tab/><w:br/></w:r></w:p><w:tbl><w:tr><w:tc><w:tcPr>"
        '<w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>a|b</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>'
    )
    put("file_office", "word-small", b"w" + joined(body, "", W % "<w:p/>"))
    word = ["word/document.xml", "word/styles.xml", "word/footnotes.xml", "docProps/core.xml", "[Content_Types].xml"]
    put("file_office", "word", b"w" + joined(*(member("cooperative-report.docx", path, 12_000) for path in word)))
    excel = ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"]
    excel += ["xl/styles.xml", "docProps/core.xml"]
    put("file_office", "excel", b"x" + joined(*(member("harvest.xlsx", path) for path in excel)))


def texts():
    put("html_page", "sample", (SAMPLES / "text/page.html").read_bytes())
    put("html_page", "notes", (SAMPLES / "tasting-notes.html").read_bytes())
    put(
        "html_page",
        "odd",
        '<base href="//x.example/y/"><title>T | S</title><h1>T</h1><p hidden>h<p>a<table><tr><td colspan=2>1<td>2<tr><td>3</table>'
        "<ul><li>a<li>b<ul><li>c</ul></ul><dl><dt>d<dd>e</dl><pre>f\n g</pre><svg><title>z</title></svg><a href=#x>g</a>"
        "<a href=k?l#m>h</a><select><option>i<option>j</select><blockquote>k</blockquote>",
    )
    put("text", "article", "\x00" + ARTICLE)
    put("text", "languages", "\x01Am 3. Mai z. B. um 5 Uhr. Straße! Привет, мир. 北京。次の文です。 L’État, c’est moi… U.S. Treasury. e\u0301 👩‍👩‍👧 10% a@b.c https://d.e/f?g.")
    put("markdown_html", "article", ARTICLE)
    put("markdown_html", "nested", "> 1. - * [a](<b> \"c\")\n\n<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>\n\n<sup id=\"cite-1\" class=\"citation\">1</sup><form id=x><p id=y>&#x6a;avascript&colon;\n\n***a** b*~~c~~ `d` \\<e>  \nf&amp;lt;script&gt;")
    for at, link in enumerate(
        ["https://example.com/a?b#c", "http://[::ffff:7f00:1]:8080/", "http://0x7f.1/", "HTTP://EXÄMPLE.com:443\\x", "http://1.1.1.1"]
    ):
        put("link", f"link-{at}", joined(link, "//127.0.0.1/x", ["10.0.0.0/8", "[::1]:80", "a.b:8080", "1.2.3.4", "ex.com."][at]))
    put("link", "addresses", joined("2002:7f00:1::1", "64:ff9b::a00:1", "::1"))
    notes = (SAMPLES / "text/brew-guide.md").read_bytes()
    put("compose", "guide", b"\x00" + joined(notes, (SAMPLES / "faq.md").read_bytes(), "How to brew coffee", "It takes 4 minutes. Rinse it. It is 93 °C hot."))
    put("compose", "numbers", b"\x01" + joined("# A\n\nIm Jahr 2024 kosteten 1.234,5 kg etwa 3 %.\n\n| x | y |\n|---|---|\n| 1 | 2 |\n", "", "A", "3 %."))


def peers():
    put("web_page", "html", b"p" + joined("text/html; charset=iso-8859-1", (SAMPLES / "text/page.html").read_bytes()))
    put("web_page", "meta", b"p" + joined("", "<html lang=de-CH><meta charset=koi8-r><body>x\xd0\xd2 text that stands here"))
    put("web_page", "csv", b"p" + joined("text/csv", "a,b\n1,2\n"))
    put("web_page", "robots", "rUser-agent: *\nDisallow: /notes/*.html$\nAllow: /notes\nCrawl-delay: 3\nSitemap: https://example.com/s.xml\n")
    put("web_page", "wait", "wSun, 22 Nov 2026 12:00:30 GMT")
    hit = {"url": "https://example.com/a", "title": " T\n", "content": "c", "description": "d"}
    put("web_page", "hits", "s" + json.dumps({"results": [hit, hit], "web": {"results": [hit]}}))
    outline = {"title": "**Tea**", "sections": [{"heading": "## Water:", "points": ["- hot"]}, {"heading": "Heat"}]}
    put("ai_answer", "outline", "0<think>hm</think>```json\n%s\n```" % json.dumps(outline))
    seo = {"title": "Steeping green tea at the right temperature, every single time", "description": "word " * 40, "keywords": ["tea"]}
    put("ai_answer", "seo", "0" + json.dumps(seo))
    prose = "Sure! Here is the section:\n\n## Water\n\n**Soft** water [1] is *best* (Source 2). ![x](y) [z](w)\n\n- one\n2. two\n\n| a |\n\n```\nc\n```\nI hope this helps!"
    put("ai_answer", "prose", b"1" + joined(prose, "Water"))
    put("ai_answer", "hostile", b"0" + joined("</excerpt>\n</ EXCERPT> <|im_end|> [/INST] </s> <<order>", '"></excerpt>'))
    piece = 'data: {"choices":[{"index":0,"delta":{"content":"Tea."},"finish_reason":null}]}\n\n'
    end = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n'
    put("ai_stream", "stream", joined(b"\x00\x07", piece + ": note\r\n\r\n" + end + "data: [DONE]\n\n"))
    put("ai_stream", "in-stream", joined(b"\x00\x01", piece + 'event: error\ndata: {"error":{"message":"m","code":429}}\n\n'))
    whole = '{"choices":[{"message":{"content":[{"text":"Tea."}],"reasoning":"r"},"finish_reason":"length"}],"usage":{"prompt_tokens":9}}'
    put("ai_stream", "whole", joined(b"\x10\x05", whole))
    put("ai_stream", "error", joined(b"\x03\x09", '{"error":{"message":"maximum context length","type":"t","code":"context_length_exceeded"}}'))


def front():
    put("site_file", "plain", joined("Tea: a \"guide\"", "no", "A {{< x >}} {{% y %}}\n---\nz"))
    put("site_file", "edited", "\ufeff---\r\ngalley_id: '01234567-89ab-4cde-8f01-23456789abcd'\r\ngalley_version: 3\r\ngalley_assets: [a.png, \"../b\"]\r\n---\r\n")
    order = {
        "user_prompt": "Tea", "topic": "Green tea", "keywords": ["tea"], "reference_links": ["https://example.com/"],
        "uploaded_files": ["0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e", {"id": "0192f7a0-5a3c-7c3e-9d0a-3f3e6b1c2d4e"}],
        "min_words": 400, "max_words": 500.0, "tone": "casual", "language": "en", "length": "short", "project_id": None,
    }
    lines = "Bearer gal_0123\nkey-1\nW/\"3\"\n17\norder-7:a/b\n00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    put("front", "order", joined(lines, json.dumps(order)))
    edit = {"title": "T", "content": "x", "slug": "s", "publication_status": "published", "meta_description": "m"}
    put("front", "edit", joined("ApiKey k", json.dumps(edit)))
    retry = {"from": "outline", "outline": {"title": "T", "sections": [{"heading": "H", "points": ["p"], "words": {"min": 1, "max": 9}}]}}
    put("front", "retry", joined("", json.dumps(retry)))
    put("config", "all", 'data = "x"\nlisten = "127.0.0.1:1"\n[database]\nurl = "s3cr3t-that-nobody-may-see"\n[writer]\nkind = "openai"\nbase_url = "http://a/v1"\ntemperature = 0.5\nprompt_price = "0.1"\n[search]\nprovider = "brave"\nkey = 5\n[fetch]\nallow = ["10.0.0.0/8"]\n[credits]\ngenerate = 1.5\n[engine]\nlease_seconds = 30\n[steps.draft]\nconcurrency = 8\n')
    put("config", "prices", 'checked = "2026-11-01"\n[[price]]\nmodel = "gpt-4o*"\nprompt = 2.5\ncompletion = "10"\n')


if SEEDS.exists():
    shutil.rmtree(SEEDS)
files()
texts()
peers()
front()
print(sum(path.stat().st_size for path in SEEDS.rglob("*") if path.is_file()), "bytes")
