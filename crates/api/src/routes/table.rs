//! What follows from the list of routes: the router, the document's paths, who may ask, what may be sent, and names for counters.

use crate::access::{Role, is_safe};
use crate::state::SharedState;
use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::openapi::OpenApi;

/// One address with what may be done there.
pub(crate) struct Route {
    /// Its place in the list.
    pub(crate) index: usize,
    /// Pattern, as documented.
    pub(crate) path: String,
    /// The same with or without a slash at its end, where both are understood: the originals' (payloads).
    twin: Option<String>,
    operations: Vec<Operation>,
    handler: MethodRouter<SharedState>,
}

struct Operation {
    method: Method,
    /// What the caller's token has to allow; `None`: nobody is asked for one.
    needs: Option<Role>,
    has_body: bool,
}

impl Route {
    fn operation(&self, method: &Method) -> Option<&Operation> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        self.operations.iter().find(|o| o.method == *method)
    }

    /// What a token has to allow for this method. One that is not offered is refused after the caller is known: as a read where it
    /// changes nothing, else as the others here that might.
    pub(crate) fn needs(&self, method: &Method) -> Option<Role> {
        if self.operations.iter().all(|o| o.needs.is_none()) {
            return None;
        }
        if let Some(offered) = self.operation(method) {
            return offered.needs;
        }
        if is_safe(method) {
            return Some(Role::Read);
        }
        let others = self.operations.iter().filter(|o| !is_safe(&o.method));
        Some(others.filter_map(|o| o.needs).max().unwrap_or(Role::Operate))
    }

    /// As it is routed: with its twin.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.twin.iter().chain([&self.path]).map(String::as_str)
    }

    /// Does a request of this method have a body that is read?
    pub(crate) fn reads_body(&self, method: &Method) -> bool {
        self.operation(method).is_some_and(|o| o.has_body)
    }

    /// What may be done here, as the `Allow` header says it.
    pub(crate) fn allowed(&self) -> String {
        let names =
            self.operations.iter().map(|o| if o.method == Method::GET { "GET, HEAD" } else { o.method.as_str() });
        names.collect::<Vec<_>>().join(", ")
    }
}

/// All routes, and their part of the document.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
    document: OpenApi,
}

impl Table {
    /// Adds what a handler declares of itself. Operations of one address follow each other.
    pub(super) fn add<H, A>(&mut self, declared: OpenApi, needs: Option<Role>, handler: &H)
    where
        H: Handler<A, SharedState>,
        A: 'static,
    {
        for (path, item) in &declared.paths.paths {
            let of_methods = [
                (Method::GET, MethodFilter::GET, &item.get),
                (Method::POST, MethodFilter::POST, &item.post),
                (Method::DELETE, MethodFilter::DELETE, &item.delete),
            ];
            for (method, filter, documented) in of_methods {
                let Some(documented) = documented else { continue };
                let has_body = documented.request_body.is_some();
                let index = self.place(path);
                let route = &mut self.routes[index];
                route.operations.push(Operation { method, needs, has_body });
                route.handler = core::mem::take(&mut route.handler).on(filter, handler.clone());
            }
        }
        self.document.merge(declared);
    }

    fn place(&mut self, path: &str) -> usize {
        self.routes.iter().position(|r| r.path == path).unwrap_or_else(|| {
            let (index, path, twin) = (self.routes.len(), path.to_owned(), twin(path));
            self.routes.push(Route { index, path, twin, operations: Vec::new(), handler: MethodRouter::new() });
            index
        })
    }

    /// The route of an address as it was matched.
    pub(crate) fn find(&self, matched: &str) -> Option<&Route> {
        self.routes.iter().find(|r| r.addresses().any(|address| address == matched))
    }

    /// All addresses with their handlers.
    pub(super) fn router(&self) -> Router<SharedState> {
        self.routes.iter().fold(Router::new(), |router, route| {
            route.addresses().fold(router, |router, address| router.route(address, route.handler.clone()))
        })
    }

    /// A document with every operation.
    pub(crate) fn documented(&self, document: OpenApi) -> OpenApi {
        document.merge_from(self.document.clone())
    }
}

fn twin(path: &str) -> Option<String> {
    match path.strip_suffix('/') {
        Some("") => None,
        Some(bare) => Some(bare.to_owned()),
        None if path.starts_with("/api/") && !path.starts_with("/api/v1/") => Some(format!("{path}/")),
        None => None,
    }
}
