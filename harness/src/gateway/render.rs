//! Templates: one strict environment (an unknown variable is an error) and the filters that recipes use.

use gatecrash_core::units::Span;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::error::GatewayError;

/// Renders the templates of recipes and of users' commands.
#[derive(Debug)]
pub(super) struct Renderer(Environment<'static>);

impl Renderer {
    pub(super) fn new() -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_syntax(syntax());
        // Every file is a configuration, none is HTML.
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        env.add_filter("millis", |span: String| millis(&span));
        env.add_filter("seconds", |span: String| millis(&span).map(|ms| ms.div_ceil(1000)));
        env.add_filter("json", |value: Value| {
            serde_json::to_string(&value)
                .map_err(|e| minijinja::Error::new(ErrorKind::BadSerialization, e.to_string()))
        });
        Self(env)
    }

    /// Renders one template; `what` names it in an error.
    pub(super) fn text(&self, what: &str, template: &str, context: Value) -> Result<String, GatewayError> {
        self.0.render_named_str(what, template, context).map_err(|e| {
            let place = e.line().map(|line| format!("line {line}: ")).unwrap_or_default();
            let detail = e.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            GatewayError::Render { what: what.to_owned(), problem: format!("{place}{}{detail}", e.kind()) }
        })
    }
}

/// Lines that hold a block tag alone leave nothing behind; the newline at the end of a file stays.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .expect("the delimiters are the default ones")
}

fn millis(span: &str) -> Result<u64, minijinja::Error> {
    span.parse::<Span>()
        .map(|span| span.0 / 1_000_000)
        .map_err(|e| minijinja::Error::new(ErrorKind::InvalidOperation, format!("expected {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_and_strictness() {
        let renderer = Renderer::new();
        let context = minijinja::context! { t => "1500ms", list => ["a\"b"] };
        let text = |template: &str| renderer.text("it", template, context.clone());
        assert_eq!(
            text("{{ t|millis }} {{ t|seconds }} {{ list|json }}").ok().as_deref(),
            Some(r#"1500 2 ["a\"b"]"#)
        );
        let error = text("one\n{{ nothing }}").expect_err("unknown variable").to_string();
        assert!(error.starts_with("cannot render it: line 2: undefined value"), "{error}");
    }
}
