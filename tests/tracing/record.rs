//! A subscriber that writes down what it is told.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

/// What became of one span.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub name: &'static str,
    pub level: String,
    /// Which of the spans it is in.
    pub parent: Option<usize>,
    pub fields: BTreeMap<&'static str, String>,
    pub is_closed: bool,
}

impl Span {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

/// Where a span keeps its number.
struct Number(usize);

#[derive(Debug, Default)]
struct Pages {
    spans: Vec<Span>,
    /// The names of the spans that each event is in, from the outside, and what it says.
    events: Vec<(Vec<&'static str>, String)>,
}

/// All spans and events of the threads that it is installed on.
#[derive(Clone, Debug, Default)]
pub struct Book(Arc<Mutex<Pages>>);

impl Book {
    /// Listens to this thread from now on, and to those that [`listen`] is called on with what it answers.
    pub fn install(&self, level: Level) -> Dispatch {
        let subscriber = tracing_subscriber::registry().with(LevelFilter::from(level)).with(self.clone());
        let dispatch = Dispatch::new(subscriber);
        listen(&dispatch);
        dispatch
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().expect("no panic")
    }

    /// The spans of a name, in the order of their beginning.
    pub fn named(&self, name: &str) -> Vec<Span> {
        self.pages().spans.iter().filter(|span| span.name == name).cloned().collect()
    }

    /// The span that another is in.
    pub fn parent(&self, span: &Span) -> Option<Span> {
        span.parent.map(|parent| self.pages().spans[parent].clone())
    }

    pub fn events(&self) -> Vec<(Vec<&'static str>, String)> {
        self.pages().events.clone()
    }

    /// How many spans of a name are closed.
    pub fn closed(&self, name: &str) -> usize {
        self.pages().spans.iter().filter(|span| span.name == name && span.is_closed).count()
    }
}

/// Has a thread be listened to for as long as it lives.
pub fn listen(dispatch: &Dispatch) {
    std::mem::forget(tracing::dispatcher::set_default(dispatch));
}

struct Fields<'f>(&'f mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Book {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("it is new");
        let number = |span: tracing_subscriber::registry::SpanRef<'_, S>| {
            span.extensions().get::<Number>().map(|number| number.0)
        };
        let mut written = Span {
            name: span.name(),
            level: span.metadata().level().to_string(),
            parent: span.parent().and_then(number),
            ..Span::default()
        };
        attributes.record(&mut Fields(&mut written.fields));
        let mut pages = self.pages();
        span.extensions_mut().insert(Number(pages.spans.len()));
        pages.spans.push(written);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is there");
        let number = span.extensions().get::<Number>().expect("a number").0;
        values.record(&mut Fields(&mut self.pages().spans[number].fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let scope = context.event_scope(event).into_iter().flat_map(|scope| scope.from_root());
        let names = scope.map(|span| span.name()).collect();
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let said = fields.into_values().collect::<Vec<_>>().join(" ");
        self.pages().events.push((names, said));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("it is still there");
        let number = span.extensions().get::<Number>().expect("a number").0;
        self.pages().spans[number].is_closed = true;
    }
}
