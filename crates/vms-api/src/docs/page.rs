//! The pages as a whole.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use vms_types::ProblemCode;

use super::{explain, operation};

fn frame(title: &str, navigation: &Markup, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/docs/style.css";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                nav aria-label="Contents" {
                    p.brand { a href="/docs" { "VMS API" } }
                    (navigation)
                }
                main id="content" { (content) }
            }
        }
    };
    page.into_string()
}

/// Text of the document: paragraphs, with `code` between backticks.
pub(super) fn prose(text: &str) -> Markup {
    html! { @for paragraph in text.split("\n\n") { p { (inline(paragraph)) } } }
}

/// One line, with `code` between backticks.
pub(super) fn inline(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The reference of all operations.
pub(super) fn reference(document: &Value) -> String {
    let info = document.get("info").unwrap_or(&Value::Null);
    let tags: Vec<(&Value, Vec<operation::Operation<'_>>)> = document
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tag| (tag, operation::of_tag(document, text(tag, "name"))))
        .collect();
    let navigation = html! {
        @for (tag, operations) in &tags {
            p.group { a href={ "#tag-" (text(tag, "name")) } { (text(tag, "name")) } }
            ul {
                @for one in operations {
                    li { a href={ "#" (one.id) } { span.method.(one.method) { (one.method) } " " (one.summary) } }
                }
            }
        }
        p.group { a href="/docs/problems" { "problem codes" } }
        p.group { a href="/api/v1/openapi.json" { "openapi.json" } }
    };
    let content = html! {
        header {
            h1 { (text(info, "title")) " API" }
            p.muted { "Version " (text(info, "version")) }
            (prose(text(info, "description")))
        }
        @for (tag, operations) in &tags {
            section aria-labelledby={ "tag-" (text(tag, "name")) } {
                h2 id={ "tag-" (text(tag, "name")) } { (text(tag, "name")) }
                p { (text(tag, "description")) }
                @for one in operations { (operation::article(document, one)) }
            }
        }
    };
    frame("VMS API", &navigation, &content)
}

/// All problem codes.
pub(super) fn problems() -> String {
    let navigation = html! {
        ul { @for code in ProblemCode::ALL { li { a href={ "#" (code.as_str()) } { (code.as_str()) } } } }
    };
    let content = html! {
        header {
            h1 { "Problem codes" }
            p {
                "Every answer that is not 2xx or 304 is a problem (RFC 9457), sent as " code { "application/problem+json" }
                ". Programs compare its " code { "code" } "; the words stay. People read its " code { "detail" }
                "; give its " code { "request_id" } " to an administrator when you ask for help."
            }
        }
        @for code in ProblemCode::ALL {
            @let explained = explain::explain(*code);
            article id=(code.as_str()) {
                h2 { code { (code.as_str()) } " " span.status { (code.status()) } }
                p.lead { (code.title()) }
                p { (inline(explained.what)) }
                p { strong { "What to do: " } (inline(explained.remedy)) }
            }
        }
    };
    frame("VMS API: problem codes", &navigation, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_shows_every_operation_and_asks_nobody_else() {
        let document = crate::document();
        let page = reference(&document);
        for (path, _) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            assert!(page.contains(path.as_str()), "{path}");
        }
        assert!(page.contains("id=\"machine_create\""));
        assert!(!page.contains("=\"http") && !page.contains("<script"));
        assert!(!page.contains("style="), "the content security policy forbids inline styles");
    }

    #[test]
    fn every_code_is_explained_at_the_place_that_problems_name() {
        let page = problems();
        for code in ProblemCode::ALL {
            assert!(page.contains(&format!("id=\"{}\"", code.as_str())), "{code:?}");
        }
    }

    #[test]
    fn markup_in_texts_is_text() {
        assert_eq!(inline("a `<b>` c").into_string(), "a <code>&lt;b&gt;</code> c");
    }
}
