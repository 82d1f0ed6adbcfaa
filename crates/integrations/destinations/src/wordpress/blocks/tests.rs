use super::*;

fn blocks(html: &str) -> String {
    let shown = Shown { id: 7, url: "https://a.example/cup.png".into(), caption: "Tea & \"more\"".into() };
    from_html(html, &HashMap::from([("cup.png".to_owned(), shown)]))
}

#[test]
fn paragraphs_headings_and_rules() {
    let expected = "<!-- wp:paragraph -->\n<p>A <em>b</em>.</p>\n<!-- /wp:paragraph -->\n\n\
                    <!-- wp:heading -->\n<h2 class=\"wp-block-heading\">C</h2>\n<!-- /wp:heading -->\n\n\
                    <!-- wp:heading {\"level\":3} -->\n<h3 class=\"wp-block-heading\">D</h3>\n<!-- /wp:heading -->\n\n\
                    <!-- wp:separator -->\n<hr class=\"wp-block-separator has-alpha-channel-opacity\"/>\n\
                    <!-- /wp:separator -->";
    assert_eq!(blocks("<p>A <em>b</em>.</p>\n<h2>C</h2>\n<h3>D</h3>\n<hr>\n"), expected);
}

#[test]
fn lists_within_lists() {
    let expected = "<!-- wp:list {\"ordered\":true,\"start\":3} -->\n<ol start=\"3\" class=\"wp-block-list\">\
                    <!-- wp:list-item -->\n<li>One <b>x</b> <i>y</i>\
                    <!-- wp:list -->\n<ul class=\"wp-block-list\"><!-- wp:list-item -->\n<li>In</li>\n<!-- /wp:list-item -->\
                    </ul>\n<!-- /wp:list --></li>\n<!-- /wp:list-item -->\n\n\
                    <!-- wp:list-item -->\n<li>Two<br/><br/>More</li>\n<!-- /wp:list-item --></ol>\n<!-- /wp:list -->";
    let html = "<ol start=\"3\">\n<li>One <strong>x</strong> <em>y</em>\n<ul>\n<li>In</li>\n</ul>\n</li>\n<li>\n<p>Two</p>\n\
                <p>More</p>\n</li>\n</ol>";
    let expected = expected.replace("<b>", "<strong>").replace("</b>", "</strong>");
    let expected = expected.replace("<i>", "<em>").replace("</i>", "</em>");
    assert_eq!(blocks(html), expected);
}

#[test]
fn what_no_item_can_hold_is_shown_as_it_is() {
    for html in [
        "<ol><li id=\"source-1\">a</li></ol>",
        "<ul><li><pre><code>x</code></pre></li></ul>",
        "<ul><li>a<ul><li>b</li></ul>c</li></ul>",
        "<ul><li><img src=\"x.png\"/></li></ul>",
        "<div class=\"footnote-definition\"><p>a</p></div>",
    ] {
        assert_eq!(blocks(html), format!("<!-- wp:html -->\n{html}\n<!-- /wp:html -->"));
    }
    assert_eq!(
        blocks("loose <b>text</b>"),
        "<!-- wp:html -->\nloose\n<!-- /wp:html -->\n\n<!-- wp:html -->\n<b>text</b>\n<!-- /wp:html -->"
    );
}

#[test]
fn pictures_quotes_tables_and_code() {
    let image =
        blocks("<p><img src=\"https://a.example/cup.png\" alt=\"A &quot;cup&quot;\" class=\"wp-image-7\"/></p>");
    let expected = "<!-- wp:image {\"id\":7,\"sizeSlug\":\"full\",\"linkDestination\":\"none\"} -->\n\
                    <figure class=\"wp-block-image size-full\"><img src=\"https://a.example/cup.png\" alt=\"A &quot;cup&quot;\" \
                    class=\"wp-image-7\"/><figcaption class=\"wp-element-caption\">Tea &amp; &quot;more&quot;</figcaption>\
                    </figure>\n<!-- /wp:image -->";
    assert_eq!(image, expected);
    let other = blocks("<p><img src=\"https://b.example/x.png\" alt=\"\" title=\"T\"></p>");
    assert!(
        other.starts_with("<!-- wp:image -->\n<figure class=\"wp-block-image\"><img src=\"https://b.example/x.png\"")
    );
    assert!(other.contains("<figcaption class=\"wp-element-caption\">T</figcaption>"));
    assert!(blocks("<p>a <img src=\"x\"> b</p>").starts_with("<!-- wp:paragraph -->"));
    assert_eq!(
        blocks("<blockquote>\n<p>Q</p>\n</blockquote>"),
        "<!-- wp:quote -->\n<blockquote class=\"wp-block-quote\"><!-- wp:paragraph -->\n<p>Q</p>\n<!-- /wp:paragraph -->\
         </blockquote>\n<!-- /wp:quote -->"
    );
    assert_eq!(
        blocks("<table><thead><tr><th>A</th></tr></thead><tbody>\n<tr><td>1 &lt; 2</td></tr>\n</tbody></table>"),
        "<!-- wp:table {\"hasFixedLayout\":false} -->\n<figure class=\"wp-block-table\"><table><thead><tr><th>A</th></tr>\
         </thead><tbody><tr><td>1 &lt; 2</td></tr></tbody></table></figure>\n<!-- /wp:table -->"
    );
    let heads = "<table><thead><tr><th>A</th></tr></thead><tbody>\n</tbody></table>";
    assert!(blocks(heads).contains("</thead></table>"), "{}", blocks(heads));
    assert_eq!(
        blocks("<pre><code>if a &lt; b {\n  &#91;x]\n}\n</code></pre>"),
        "<!-- wp:code -->\n<pre class=\"wp-block-code\"><code>if a &lt; b {\n  &#91;x]\n}</code></pre>\n<!-- /wp:code -->"
    );
}

#[test]
fn white_space_within_a_cell_is_text_and_between_cells_it_is_none() {
    let html = "<table>\n<tbody>\n<tr>\n<td><strong>Wood</strong> and <a href=\"x\">gas</a> fire</td> <td> <em>a</em> <em>b</em></td>\n\
                </tr>\n</tbody>\n</table>";
    let rows = "<tr><td><strong>Wood</strong> and <a href=\"x\">gas</a> fire</td><td> <em>a</em> <em>b</em></td></tr>";
    assert!(blocks(html).contains(&format!("<table><tbody>{rows}</tbody></table>")), "{}", blocks(html));
}

/// Each level takes some of the stack, which a thread of ours has 2 MiB of.
#[test]
fn blocks_within_each_other_have_an_end() {
    for (open, close, block) in
        [("<blockquote>", "</blockquote>", "<!-- wp:quote"), ("<ul><li>", "</li></ul>", "<!-- wp:list ")]
    {
        let nested = |depth: usize| blocks(&format!("{}tea{}", open.repeat(depth), close.repeat(depth)));
        let deep = nested(3_000);
        assert!(deep.contains("tea") && deep.matches(block).count() <= DEEPEST, "{open}");
        assert_eq!(deep.matches(open).count() + deep.matches(block).count(), 3_000, "nothing is lost");
        assert_eq!(nested(DEEPEST).matches(block).count(), DEEPEST);
    }
}
