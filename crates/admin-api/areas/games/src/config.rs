//! `/admin/api/…-config/`: the configurations of one game. The paths are the same for every game; what an
//! answer shows and a request may say is the game's own ([`GameConfig`]).

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data, Json},
};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::{
    __dev::ComposeSchema,
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        Content, KnownFormat, Object, Ref, Required, Response, SchemaFormat, Type,
        path::{HttpMethod, Parameter, ParameterBuilder, ParameterIn},
        request_body::{RequestBody, RequestBodyBuilder},
        schema::ArrayBuilder,
    },
};
use validator::Validate;
use xmas_games::{
    ConfigError, Engine, Game,
    config::{Config, ConfigEdit, Saved},
};
use xmas_http::{
    endpoint::Operation,
    error::{ApiError, ApiResult},
    extract::{Admin, Body, Echoes, Now, OptionalBody, Params, PathPart, PathParts, seen_version},
    openapi::by_hand::{Schemas, json, operation, reference, schemas},
};
use xmas_kernel::{ConfigId, ErrorCode};

use crate::config_versions::{RestoreRequest, RestoredAnswer, VersionPage};
use xmas_admin_common::{
    paging::CursorParams,
    params::{IfMatch, Reason},
};

/// A game as operators configure it over HTTP.
pub(crate) trait GameConfig: Game {
    /// A configuration as it is shown.
    type Answer: From<Saved<Self::Body>> + Serialize + ToSchema + 'static;
    /// An edit, or a new configuration.
    type Request: DeserializeOwned + Validate + ToSchema + Sync + 'static;
    const WORDS: Words;

    /// Takes out of a request what no edit changes.
    fn echoes(sent: &mut Self::Request) -> Echoes;

    /// Takes out of a request which version the operator has seen.
    fn version(sent: &mut Self::Request) -> Option<String>;

    /// The edit of the configuration that is `stored`, or a new one, but for what the operator has seen.
    fn edit(
        sent: &Self::Request,
        stored: Option<&Config<Self::Body>>,
    ) -> ConfigEdit<Self::BodyEdit>;
}

/// What the OpenAPI document calls the configurations of a game.
pub(crate) struct Words {
    /// In paths and operation ids: `roulette`.
    pub(crate) name: &'static str,
    /// What one of them is: `wheel`.
    pub(crate) noun: &'static str,
    /// What players have done with it: `spun`.
    pub(crate) played: &'static str,
    /// How the sentence about when an edit takes effect goes on.
    pub(crate) of_update: &'static str,
    /// What there is to say of putting back a version besides.
    pub(crate) of_restore: &'static str,
}

/// The paths of a game's configurations.
pub fn operations<G: GameConfig>() -> Vec<Operation> {
    let words = G::WORDS;
    let Words { name, noun, .. } = words;
    let all = || format!("/admin/api/{name}-config/");
    let one = |rest: &str| format!("/admin/api/{name}-config/{{id}}{rest}");
    let document = |verb: &str, what: &str, summary: &str| {
        operation("admin: games", &format!("{verb}_{name}_{what}"), summary)
    };
    let missing = &[G::CONFIG_NOT_FOUND];
    let answer = || json(reference::<G::Answer>());
    let answers = schemas::<G::Answer>;
    let edits = || [schemas::<G::Answer>(), schemas::<G::Request>()].concat();

    let list = Operation::new(
        all(),
        HttpMethod::Get,
        || web::to(list::<G>),
        document("list", "configs", &format!("Every {noun}, newest first."))
            .response(
                "200",
                json(ArrayBuilder::new().items(reference::<G::Answer>())),
            )
            .build(),
        answers(),
    );
    let create = Operation::new(
        all(),
        HttpMethod::Post,
        || web::to(create::<G>),
        document(
            "create",
            "config",
            &format!("Adds a {noun}. It is checked as a whole, also if it is not active yet."),
        )
        .parameters(Some(headers::<Reason>()))
        .request_body(Some(body::<G::Request>(Required::True)))
        .response("201", answer())
        .build(),
        edits(),
    );
    let get = Operation::new(
        one(""),
        HttpMethod::Get,
        || web::to(get::<G>),
        document("get", "config", &format!("One {noun}."))
            .parameter(part("id").schema(Some(i64::schema())))
            .response("200", answer())
            .build(),
        answers(),
    );
    let update = Operation::new(
        one(""),
        HttpMethod::Put,
        || web::to(update::<G>),
        document(
            "update",
            "config",
            &format!(
                "Changes a {noun}. It takes effect within a second{}",
                words.of_update
            ),
        )
        .parameter(part("id").schema(Some(i64::schema())))
        .parameters(Some(headers::<Reason>()))
        .parameters(Some(headers::<IfMatch>()))
        .request_body(Some(body::<G::Request>(Required::True)))
        .response("200", answer())
        .build(),
        edits(),
    );
    let delete = Operation::new(
        one(""),
        HttpMethod::Delete,
        || web::to(delete::<G>),
        document(
            "delete",
            "config",
            &format!(
                "Removes a {noun} that was never {}; any other can be switched off.",
                words.played
            ),
        )
        .parameter(part("id").schema(Some(i64::schema())))
        .parameters(Some(headers::<Reason>()))
        .response("204", Response::new(""))
        .build(),
        Vec::new(),
    );
    let versions = Operation::new(
        one("/versions"),
        HttpMethod::Get,
        || web::to(versions::<G>),
        document("list", "config_versions", &format!(
                "Every state in which a {noun} was saved, newest first: who saved it, and from when to when it \
                 was so."
            ))
            .parameter(part("id").schema(Some(i64::schema())))
            .parameters(Some(CursorParams::into_params(|| Some(ParameterIn::Query))))
            .response("200", json(Ref::from_schema_name(of::<G>("VersionPage"))))
            .build(),
        holding::<G, VersionPage<G::Answer>>("VersionPage"),
    );
    let version = Object::builder()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0));
    let restore = Operation::new(
        one("/versions/{version}/restore"),
        HttpMethod::Post,
        || web::to(restore::<G>),
        document("restore", "config", &format!(
                "Puts a version back by one call, checked like any other edit: the name, the daily limit and \
                 what there is\nto win. Whether it is switched on stays as it is.{}",
                words.of_restore
            ))
            .parameter(part("id").schema(Some(i64::schema())))
            .parameter(
                part("version")
                    .description(Some("its `id` in the list of versions"))
                    .schema(Some(version)),
            )
            .parameters(Some(headers::<Reason>()))
            .parameters(Some(headers::<IfMatch>()))
            .request_body(Some(body::<RestoreRequest>(Required::False)))
            .response("200", json(Ref::from_schema_name(of::<G>("RestoredAnswer"))))
            .build(),
        [
            holding::<G, RestoredAnswer<G::Answer>>("RestoredAnswer"),
            schemas::<RestoreRequest>(),
        ]
        .concat(),
    );
    vec![
        list,
        create.fails::<ConfigError>(G::CHECK_CODES),
        get.fails::<ConfigError>(missing),
        update
            .fails::<ConfigError>(missing)
            .fails::<ConfigError>(G::CHECK_CODES)
            .fails::<ConfigError>(&[ErrorCode::VersionConflict]),
        delete
            .fails::<ConfigError>(missing)
            .fails::<ConfigError>(&[ErrorCode::ConfigInUse]),
        versions.fails::<ConfigError>(missing),
        restore
            .fails::<ConfigError>(missing)
            .fails::<ConfigError>(G::CHECK_CODES)
            .fails::<ConfigError>(&[ErrorCode::VersionConflict, ErrorCode::ConfigVersionNotFound]),
    ]
}

/// The name of a schema that holds a game's answers.
pub(crate) fn of<G: GameConfig>(holder: &str) -> String {
    format!("{holder}_{}", G::Answer::name())
}

/// As [`schemas`], of a type that holds a game's answers.
pub(crate) fn holding<G: GameConfig, T: ToSchema + ComposeSchema>(name: &str) -> Schemas {
    let mut schemas = vec![(of::<G>(name), T::compose(vec![G::Answer::schema()]))];
    T::schemas(&mut schemas);
    schemas
}

fn body<T: ToSchema>(required: Required) -> RequestBody {
    named_body(&T::name(), required)
}

pub(crate) fn named_body(schema: &str, required: Required) -> RequestBody {
    let content = Content::new(Some(Ref::from_schema_name(schema)));
    let body = RequestBodyBuilder::new().content("application/json", content);
    body.required(Some(required)).build()
}

pub(crate) fn part(name: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
}

pub(crate) fn headers<T: IntoParams>() -> Vec<Parameter> {
    T::into_params(|| Some(ParameterIn::Header))
}

async fn list<G: GameConfig>(engine: Data<Engine<G>>) -> ApiResult<Json<Vec<G::Answer>>> {
    let configs = engine.configs().await?;
    Ok(Json(configs.into_iter().map(Into::into).collect()))
}

async fn create<G: GameConfig>(
    admin: Admin,
    body: Body<G::Request>,
    now: Now,
    request: HttpRequest,
    engine: Data<Engine<G>>,
) -> ApiResult<(Json<G::Answer>, StatusCode)> {
    let Body(mut sent) = body;
    G::echoes(&mut sent).expect_none()?;
    let seen = seen_version(&request, G::version(&mut sent))?;
    let new = ConfigEdit {
        seen,
        ..G::edit(&sent, None)
    };
    let saved = engine.create(&admin.actor, &new, now.0).await?;
    Ok((Json(saved.into()), StatusCode::CREATED))
}

async fn get<G: GameConfig>(
    part: PathPart<String>,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<G::Answer>> {
    Ok(Json(engine.config(id::<G>(&part.0)?).await?.into()))
}

async fn update<G: GameConfig>(
    admin: Admin,
    part: PathPart<String>,
    body: Body<G::Request>,
    now: Now,
    request: HttpRequest,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<G::Answer>> {
    let id = id::<G>(&part.0)?;
    let Body(mut sent) = body;
    let stored = async || Ok(G::Answer::from(engine.config(id).await?));
    G::echoes(&mut sent).compare(stored).await?;
    let seen = seen_version(&request, G::version(&mut sent))?;
    let edit = |stored: &Config<G::Body>| ConfigEdit {
        seen: seen.clone(),
        ..G::edit(&sent, Some(stored))
    };
    let saved = engine.update(&admin.actor, id, &edit, now.0).await?;
    Ok(Json(saved.into()))
}

async fn delete<G: GameConfig>(
    admin: Admin,
    part: PathPart<String>,
    now: Now,
    engine: Data<Engine<G>>,
) -> ApiResult<HttpResponse> {
    let id = id::<G>(&part.0)?;
    engine.delete(&admin.actor, id, now.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn versions<G: GameConfig>(
    part: PathPart<String>,
    params: Params<CursorParams>,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<VersionPage<G::Answer>>> {
    let id = id::<G>(&part.0)?;
    let (limit, before) = params.0.place()?;
    let created_at = engine.config(id).await?.created_at;
    let page = engine.versions(id, limit, before).await?;
    Ok(Json(VersionPage::of(page, id, created_at)))
}

async fn restore<G: GameConfig>(
    admin: Admin,
    path: PathParts,
    body: OptionalBody<RestoreRequest>,
    now: Now,
    request: HttpRequest,
    engine: Data<Engine<G>>,
) -> ApiResult<Json<RestoredAnswer<G::Answer>>> {
    let PathParts(id, version) = path;
    let id = self::id::<G>(&id)?;
    let version = version.parse();
    let version = version.map_err(|_| ApiError::new(ErrorCode::ConfigVersionNotFound))?;
    let seen = seen_version(&request, body.0.version)?;
    let restored = engine.restore(&admin.actor, id, version, seen.as_ref(), now.0);
    Ok(Json(RestoredAnswer::of(restored.await?, version)))
}

/// The configuration that a path names; what is no id names none.
pub(crate) fn id<G: GameConfig>(part: &str) -> ApiResult<ConfigId> {
    let id = part.parse().map(ConfigId);
    id.map_err(|_| ApiError::new(G::CONFIG_NOT_FOUND))
}
