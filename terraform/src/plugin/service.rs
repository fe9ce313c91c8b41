//! One table of the calls that Terraform makes: a path on the wire, and the function behind it.
//!
//! Each call is one message in and one out. The work is done on threads of its own: sealing and keys take time.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use prost::Message;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request as Raw, Response as RawResponse};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::protocol::Empty;
use crate::provider::Provider;

/// The largest message: what Terraform itself allows.
const MAX_MESSAGE: usize = 256 << 20;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The provider as Terraform calls it.
#[derive(Clone)]
pub(super) struct Calls {
    provider: Arc<Provider>,
    end: watch::Sender<bool>,
}

impl Calls {
    /// `end` is told when Terraform has no more calls.
    pub(super) fn new(provider: Provider, end: watch::Sender<bool>) -> Self {
        Self {
            provider: Arc::new(provider),
            end,
        }
    }

    async fn route(self, call: Raw<Body>) -> RawResponse<Body> {
        let path = call.uri().path().to_owned();
        if path == "/plugin.GRPCController/Shutdown" {
            let answer = self.answer(call, |_, _: &Empty| Empty {}).await;
            self.end.send_replace(true);
            return answer;
        }
        let Some(name) = path.strip_prefix("/tfplugin6.Provider/") else {
            return Status::unimplemented("no such service").into_http();
        };
        match name {
            "GetMetadata" => self.answer(call, Provider::metadata).await,
            "GetProviderSchema" => self.answer(call, Provider::schemas).await,
            "ValidateProviderConfig" => self.answer(call, Provider::validate_provider).await,
            "ConfigureProvider" => self.answer(call, Provider::configure).await,
            "ValidateResourceConfig" => self.answer(call, Provider::validate_resource).await,
            "UpgradeResourceState" => self.answer(call, Provider::upgrade).await,
            "ReadResource" => self.answer(call, Provider::read).await,
            "PlanResourceChange" => self.answer(call, Provider::plan).await,
            "ApplyResourceChange" => self.answer(call, Provider::apply).await,
            "ImportResourceState" => self.answer(call, Provider::import).await,
            "MoveResourceState" => self.answer(call, Provider::take_over).await,
            "ValidateDataResourceConfig" => self.answer(call, Provider::validate_data).await,
            "ReadDataSource" => self.answer(call, Provider::read_data).await,
            "GetFunctions" => self.answer(call, Provider::functions).await,
            "CallFunction" => self.answer(call, Provider::call).await,
            "StopProvider" => self.answer(call, Provider::stop).await,
            _ => Status::unimplemented("no such call").into_http(),
        }
    }

    async fn answer<Q, A>(&self, call: Raw<Body>, with: fn(&Provider, &Q) -> A) -> RawResponse<Body>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let handler = Handler {
            provider: self.provider.clone(),
            with,
        };
        Grpc::new(ProstCodec::<A, Q>::default())
            .max_decoding_message_size(MAX_MESSAGE)
            .max_encoding_message_size(MAX_MESSAGE)
            .unary(handler, call)
            .await
    }
}

impl Service<Raw<Body>> for Calls {
    type Response = RawResponse<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Raw<Body>) -> Self::Future {
        let calls = self.clone();
        Box::pin(async move { Ok(calls.route(call).await) })
    }
}

struct Handler<Q, A> {
    provider: Arc<Provider>,
    with: fn(&Provider, &Q) -> A,
}

impl<Q: Send + 'static, A: Send + 'static> UnaryService<Q> for Handler<Q, A> {
    type Response = A;
    type Future = Answer<Result<Response<A>, Status>>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (provider, with) = (self.provider.clone(), self.with);
        Box::pin(async move {
            let request = request.into_inner();
            let work = tokio::task::spawn_blocking(move || with(&provider, &request));
            work.await
                .map(Response::new)
                .map_err(|_| Status::internal("the provider failed; report this as a bug"))
        })
    }
}
