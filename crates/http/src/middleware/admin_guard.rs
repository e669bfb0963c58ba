use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web::{self, Data, ServiceConfig},
};
use xmas_core_auth::{AuthService, Scope};
use xmas_kernel::{ErrorCode, audit::Actor};

use crate::{
    endpoint::Operations,
    error::{ApiError, ApiResult},
    extract::{Admin, Bearer, reason},
    middleware::trace::RequestId,
};

/// Serves operations below a scope to admins only.
pub fn serve(scope: &str, operations: &Operations, cfg: &mut ServiceConfig) {
    let inner = web::scope(scope).configure(|cfg| operations.serve_in_scope(scope, cfg));
    cfg.service(inner.wrap(from_fn(admin_guard)));
}

/// Lets admins into the admin API and nobody else: one guard for every path of it.
///
/// A path that does not exist is told before anybody is asked who they are: the admin client has pages
/// that are not part of this product, and logs out on 401 and 403.
async fn admin_guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    match admit(&request).await {
        Ok(admin) => {
            request.extensions_mut().insert(admin);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => {
            let (request, _) = request.into_parts();
            let refusal = HttpResponse::from_error(error);
            Ok(ServiceResponse::new(request, refusal).map_into_right_body())
        }
    }
}

async fn admit(request: &ServiceRequest) -> ApiResult<Admin> {
    if request.match_pattern().is_none() {
        return Err(ApiError::new(ErrorCode::NotFound));
    }
    let http = request.request();
    let Bearer(authenticated) = Bearer::of(http)?;
    if authenticated.scope != Scope::Admin {
        return Err(ApiError::new(ErrorCode::ForbiddenScope));
    }
    let auth = http.app_data::<Data<dyn AuthService>>();
    let auth = auth.expect("wiring registers authentication");
    // Whoever was blocked or logged out everywhere since the token was minted stays out.
    let name = auth.admin_name(&authenticated.identity).await?;
    let request_id = http.extensions().get::<RequestId>().cloned();
    // Whoever only reads is not asked why.
    let reason = if http.method().is_safe() {
        None
    } else {
        reason(http)?
    };
    Ok(Admin {
        actor: Actor {
            user_id: authenticated.identity.user_id,
            name,
            reason,
            request_id: request_id.map_or_else(String::new, |id| id.as_str().to_owned()),
        },
    })
}
