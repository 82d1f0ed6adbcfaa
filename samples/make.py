"""Makes the sample sources from the plain texts in text/. The same texts give the same bytes.

    python3 -m venv .venv
    .venv/bin/pip install -r samples/requirements.txt
    .venv/bin/python samples/make.py
"""

import csv
import datetime
import html
import re
import shutil
import zipfile
from pathlib import Path

from docx import Document
from fpdf import FPDF
from openpyxl import Workbook
from openpyxl.styles import Font

HERE = Path(__file__).resolve().parent
TEXT = HERE / "text"
# One date for everything that wants to know when it was made.
MADE = datetime.datetime(2026, 4, 20, 8, 0, 0, tzinfo=datetime.timezone.utc)


def blocks(name):
    """Reads the small subset of Markdown of text/: yields (kind, content) per block."""
    for block in (TEXT / name).read_text(encoding="utf-8").strip().split("\n\n"):
        lines = block.split("\n")
        if block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            yield f"h{level}", block[level:].strip()
        elif all(line.startswith("- ") for line in lines):
            yield "list", [line[2:] for line in lines]
        elif all(line.startswith("|") for line in lines):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            yield "table", [row for row in rows if not set("".join(row)) <= {"-"}]
        else:
            yield "p", " ".join(lines)


class Guide(FPDF):
    def footer(self):
        self.set_y(-18)
        self.set_font("Helvetica", size=9)
        self.cell(0, 6, f"Sela Ridge Brew Guide - page {self.page_no()}", align="C")


def make_pdf(source, target):
    pdf = Guide(format="A4")
    pdf.set_creation_date(MADE)
    pdf.set_margins(24, 22)
    pdf.set_auto_page_break(True, margin=24)
    pdf.add_page()
    for kind, content in blocks(source):
        if kind == "h1":
            pdf.set_title(content)
            pdf.set_font("Helvetica", "B", 20)
            pdf.multi_cell(0, 10, content, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(3)
        elif kind == "h2":
            # A heading never stands alone at the foot of a page.
            if pdf.will_page_break(30):
                pdf.add_page()
            pdf.ln(2)
            pdf.set_font("Helvetica", "B", 14)
            pdf.multi_cell(0, 8, content, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(1)
        else:
            pdf.set_font("Helvetica", size=12)
            for item in content if kind == "list" else [content]:
                mark = "- " if kind == "list" else ""
                pdf.multi_cell(0, 6.6, mark + item, align="L", new_x="LMARGIN", new_y="NEXT")
            pdf.ln(3)
    pdf.output(str(target))


def make_docx(source, target):
    document = Document()
    for kind, content in blocks(source):
        if kind in ("h1", "h2"):
            document.add_heading(content, level=int(kind[1]))
        elif kind == "list":
            for item in content:
                document.add_paragraph(item, style="List Bullet")
        elif kind == "table":
            table = document.add_table(rows=0, cols=len(content[0]), style="Table Grid")
            for row in content:
                for cell, text in zip(table.add_row().cells, row):
                    cell.text = text
        else:
            document.add_paragraph(content)
    properties = document.core_properties
    properties.title = next(blocks(source))[1]
    properties.author = "Sela Ridge Cooperative"
    properties.created = properties.modified = MADE.replace(tzinfo=None)
    document.save(target)
    freeze(target)


def make_xlsx(source, target):
    with (TEXT / source).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    book = Workbook()
    sheet = book.active
    sheet.title = "Harvest 2025"
    sheet.append(header)
    for name, altitude, first, last, cherries, green, score in rows:
        dates = [datetime.date.fromisoformat(day) for day in (first, last)]
        sheet.append([name, int(altitude), *dates, int(cherries), int(green), float(score)])
    sheet.append(["Total", None, None, None, *(sum(int(row[i]) for row in rows) for i in (4, 5)), None])
    for row in (sheet[1], sheet[sheet.max_row]):
        for cell in row:
            cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=2):
        for index, style in ((2, "yyyy-mm-dd"), (3, "yyyy-mm-dd"), (4, "#,##0"), (5, "#,##0"), (6, "0.0")):
            row[index].number_format = style
    for column, width in zip("ABCDEFG", (18, 13, 14, 14, 14, 18, 11)):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A2"
    book.properties.creator = "Sela Ridge Cooperative"
    book.properties.title = "Harvest of the 2025 season"
    book.save(target)
    freeze(target)


def make_html(source, target):
    parts = []
    for kind, content in blocks(source):
        if kind == "list":
            items = "".join(f"<li>{html.escape(item)}</li>" for item in content)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(f"<{kind}>{html.escape(content, quote=False)}</{kind}>")
            if kind == "h1":
                parts.append('<p class="byline">By the tasting table · <time datetime="2026-04-20">20 April 2026</time></p>')
    page = (TEXT / "page.html").read_text(encoding="utf-8")
    target.write_text(page.replace("{{article}}", "\n".join(parts)), encoding="utf-8")


def freeze(target):
    """Takes the time of saving out of an Office file: from the entries of the archive and from its properties."""
    with zipfile.ZipFile(target) as archive:
        entries = [(info.filename, archive.read(info)) for info in archive.infolist()]
    stamp = MADE.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            info = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


if __name__ == "__main__":
    make_pdf("brew-guide.md", HERE / "brew-guide.pdf")
    make_docx("cooperative-report.md", HERE / "cooperative-report.docx")
    make_xlsx("harvest.csv", HERE / "harvest.xlsx")
    make_html("tasting-notes.md", HERE / "tasting-notes.html")
    shutil.copyfile(TEXT / "faq.md", HERE / "faq.md")
