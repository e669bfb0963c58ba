"""What players and operators do: every endpoint that changes something, and reads beside them.

An act is a function of a session with a weight. It names what it does for the judge, and which refusals are fine; any other is wrong."""

import uuid

from reliability.load import ADMIN

GAMES = {"ROULETTE": "ROULETTE_COIN", "DICE": "DICE_TOKEN", "LOTTERY": "LOTTERY_TICKET"}
ASSETS = (*GAMES.values(), "POINT", "CC_COIN")
ACTS = []
# Refusals that anybody may meet who plays while operators switch things off and block people.
SWITCHED = {"FEATURE_DISABLED"}


def act(weight):
    def register(function):
        function.weight = weight
        ACTS.append(function)
        return function
    return register


# -- Players

@act(30)
def play(session):
    feature = session.random.choice(list(GAMES))
    session.do("play", session.player(), "POST", f"/api/{feature.lower()}/play", None, session.key(),
               fine=SWITCHED | {"NOT_ENOUGH_TOKENS"}, feature=feature, gives_up=session.random.random() < 0.1)


@act(8)
def play_twice_at_once(session):
    feature = session.random.choice(list(GAMES))
    session.do("play", session.player(), "POST", f"/api/{feature.lower()}/play", None, session.key(), twin=True,
               fine=SWITCHED | {"NOT_ENOUGH_TOKENS"}, feature=feature)


@act(4)
def play_without_a_key(session):
    """Nobody can know what became of it if no answer comes, so it is sent once."""
    feature = session.random.choice(list(GAMES))
    session.do("play without a key", session.player(), "POST", f"/api/{feature.lower()}/play", fine=SWITCHED | {"NOT_ENOUGH_TOKENS"}, feature=feature)


def collect(session, who):
    session.do("stamp", who, "POST", "/api/season-pass/stamp", {"source_feature_type": "SEASON_PASS"}, session.key(),
               twin=session.random.random() < 0.2, fine={"ALREADY_STAMPED_TODAY", "NO_ACTIVE_SEASON"})


def take_level(session, who, level=7):
    session.do("claim", who, "POST", "/api/season-pass/claim", {"level": level}, session.key(), level=level, twin=session.random.random() < 0.2,
               fine={"LEVEL_NOT_REACHED", "REWARD_ALREADY_CLAIMED", "NO_ACTIVE_SEASON"})


@act(4)
def stamp(session):
    collect(session, session.random.choice(session.event.newcomers or session.event.players))


@act(4)
def claim(session):
    take_level(session, session.player(), session.random.randint(7, 10))


@act(5)
def record(session):
    event_id = str(uuid.UUID(int=session.random.getrandbits(128), version=4))
    body = {"event_id": event_id, "event_type": "PLAY_DURATION", "value": session.random.randint(1, 100)}
    session.do("record", session.player(), "POST", "/api/activity/record", body, session.key(), event_id=event_id)


@act(12)
def read(session):
    path = session.random.choice([
        "/api/wallet", "/api/me/history?limit=20", "/api/season-pass/status", "/api/roulette/status", "/api/dice/status", "/api/lottery/status",
        "/api/ranking/today", "/api/season-pass/internal-wins",
    ])
    session.do("read", session.player(), "GET", path, fine=SWITCHED | {"NO_ACTIVE_SEASON"})


@act(3)
def read_of_anybody(session):
    path = session.random.choice([
        "/api/odds/roulette", "/api/odds/dice", "/api/odds/lottery", "/api/ui-config/chaos", "/api/ui-copy/ticket0", "/health",
        "/api/fairness/2025-12-26",
    ])
    # A day before the replicas were there has no seed.
    session.do("read", None, "GET", path, fine=SWITCHED | {"DAY_NOT_FOUND"})


@act(2)
def go_in_and_out(session):
    """A session of its own: what follows on an answer must find what that answer promised, on whichever replica."""
    who = session.random.choice(session.event.leavers)
    with session.event.account_lock(who):
        if who not in session.event.leavers:
            return
        body = {"external_id": who, "password": session.event.passwords[who]}
        login = session.do("log in", None, "POST", "/api/auth/token", body, repeated=True)
        if not login.is_acknowledged:
            return
        refreshed = session.do("refresh", None, "POST", "/api/auth/refresh", {"refresh_token": login.good.answer.body["refresh_token"]},
                               repeated=True)
        if not refreshed.is_acknowledged:
            return
        tokens = refreshed.good.answer.body
        session.event.tokens[who] = tokens["access_token"]
        if session.random.random() < 0.3:
            session.do("log out", who, "POST", "/api/auth/logout", {"everywhere": True}, fine={"TOKEN_INVALID"})
            session.event.tokens.pop(who, None)


@act(1)
def change_password(session):
    who = session.random.choice(session.event.leavers)
    with session.event.account_lock(who):
        if who not in session.event.leavers:
            return
        now, then = session.event.passwords[who], f"pass-{session.key()}"
        deed = session.do("change a password", who, "POST", "/api/auth/password", {"current_password": now, "new_password": then})
        if deed.is_acknowledged:
            session.event.passwords[who] = then
            session.event.tokens.pop(who, None)
        elif not deed.is_decided:
            # Either may be in force; another account is simpler than to find out.
            session.event.leave(who)


# -- Operators: wallets

@act(6)
def grant(session):
    asset, amount = session.random.choice(ASSETS), session.random.randint(1, 9)
    kind = session.random.choice(["grant", "grant", "revoke"])
    body = {"external_id": session.player(), "token_type": asset, "amount": amount}
    session.do(kind, ADMIN, "POST", f"/admin/api/game-tokens/{kind}", body, session.key(), fine={"NOT_ENOUGH_TOKENS"},
               asset=asset, amount=amount, twin=session.random.random() < 0.3)


@act(2)
def batch(session):
    key, asset = session.key(), session.random.choice(list(GAMES.values()))
    players = session.random.sample(session.event.players, 8)
    table = "external_id,amount\n" + "".join(f"{who},{session.random.randint(1, 5)}\n" for who in players)
    name = f"&batch_id={key}" if session.random.random() < 0.5 else ""
    deed = session.do("batch", ADMIN, "POST", f"/admin/api/game-tokens/grant-bulk?dry_run=false&token_type={asset}{name}", table, key,
                      players=len(players), twin=session.random.random() < 0.3)
    if deed.is_acknowledged:
        session.event.batches.append(deed.good.answer.body["id"])


@act(0.5)
def batch_for_everybody(session):
    body = {"amount": 1, "filter": {"status": "ACTIVE"}, "token_type": session.random.choice(list(GAMES.values()))}
    session.do("batch", ADMIN, "POST", "/admin/api/game-tokens/grant-bulk?dry_run=false", body, session.key())


@act(0.5)
def take_batch_back(session):
    if session.event.batches:
        batch_id = session.random.choice(session.event.batches)
        session.do("revert", ADMIN, "POST", f"/admin/api/game-tokens/batches/{batch_id}/revert", {"dry_run": False}, session.key(),
                   fine={"BATCH_IS_REVERT"})


# -- Operators: rewards

@act(2)
def upload_codes(session):
    key = session.key()
    codes = [f"{key}-{number}" for number in range(6)]
    session.do("upload", ADMIN, "POST", f"/admin/api/coupons/{session.event.coupon_kind}/codes?dry_run=false",
               "code\n" + "".join(f"{code}\n" for code in codes), key, codes=codes, twin=session.random.random() < 0.3)


@act(3)
def decide(session):
    """Two operators may decide about one reward at once: one of them is told that it does not wait any more."""
    found = session.do("read", ADMIN, "GET", "/admin/api/rewards/?state=PENDING_REVIEW&limit=20")
    if not found.is_acknowledged or not found.good.answer.body["items"]:
        return
    reward = session.random.choice(found.good.answer.body["items"])["id"]

    def decide(session):
        if session.random.random() < 0.8:
            session.do("approve", ADMIN, "POST", f"/admin/api/rewards/{reward}/approve", {}, session.key(), reward=reward,
                       fine={"REWARD_NOT_PENDING", "NO_COUPON_LEFT", "USER_INACTIVE"})
        else:
            session.do("reject", ADMIN, "POST", f"/admin/api/rewards/{reward}/reject", {"reason": "chaos"}, session.key(), reward=reward,
                       fine={"REWARD_NOT_PENDING"})
    session.at_once(decide, decide)


@act(0.3)
def new_kind(session):
    name = session.key()
    session.do("new kind", ADMIN, "POST", "/admin/api/coupons/", {"name": name}, name, unkeyed=True)


@act(0.3)
def new_bundle(session):
    name = session.key()
    items = [{"reward_type": "TICKET_DICE", "reward_amount": 1}]
    session.do("new bundle", ADMIN, "POST", "/admin/api/bundles/", {"name": name, "items": items}, name, unkeyed=True)


# -- Operators: configuration. None of it has a key; what says which version it has seen can be sent again.

def edit(session, what, path, change, fine=()):
    """Loads, changes, and saves with the version that was loaded."""
    loaded = session.do("read", ADMIN, "GET", path)
    if not loaded.is_acknowledged:
        return
    found = loaded.good.answer.body
    found = found[0] if isinstance(found, list) else found
    session.do("edit", ADMIN, "PUT", change.pop("path", path), {**change, "version": found["version"]}, session.key(), unkeyed=True,
               repeated=True, fine={"VERSION_CONFLICT", *fine}, resource=what)


@act(3)
def edit_text(session):
    edit(session, "ui-config:chaos", "/admin/api/ui-config/chaos", {"value": {"text": session.key()}})


@act(1.5)
def edit_feature(session):
    loaded = session.do("read", ADMIN, "GET", "/admin/api/feature-config/")
    if loaded.is_acknowledged:
        feature = next(each for each in loaded.good.answer.body if each["feature_type"] == "RANKING")
        body = {"title": session.key(), "version": feature["version"]}
        session.do("edit", ADMIN, "PUT", "/admin/api/feature-config/RANKING", body, session.key(), unkeyed=True, repeated=True,
                   fine={"VERSION_CONFLICT"}, resource="feature:RANKING")


def edit_game(session, game, change):
    loaded = session.do("read", ADMIN, "GET", f"/admin/api/{game}-config/")
    if not loaded.is_acknowledged:
        return None
    config = next(each for each in loaded.good.answer.body if each["is_active"])
    return session.do("edit", ADMIN, "PUT", f"/admin/api/{game}-config/{config['id']}", {**change(config), "version": config["version"]},
                      session.key(), unkeyed=True, repeated=True, fine={"VERSION_CONFLICT"}, resource=f"{game}:{config['id']}")


@act(1)
def edit_name_of_game(session):
    edit_game(session, session.random.choice(["roulette", "dice"]), lambda config: {"name": session.key()})


@act(1)
def restock(session):
    """A little of the prize that runs out again and again."""
    def more(config):
        prizes = [{"id": each["id"], "stock": (each["stock"] or 0) + session.random.randint(1, 5) if each["stock"] is not None else None}
                  for each in config["prizes"]]
        return {"prizes": prizes}
    edit_game(session, "lottery", more)


@act(0.4)
def restore_version(session):
    game = session.random.choice(["roulette", "dice"])
    loaded = session.do("read", ADMIN, "GET", f"/admin/api/{game}-config/")
    if not loaded.is_acknowledged:
        return
    config = next(each for each in loaded.good.answer.body if each["is_active"])
    versions = session.do("read", ADMIN, "GET", f"/admin/api/{game}-config/{config['id']}/versions?limit=20")
    if versions.is_acknowledged and versions.good.answer.body["items"]:
        version = session.random.choice(versions.good.answer.body["items"])["id"]
        session.do("restore", ADMIN, "POST", f"/admin/api/{game}-config/{config['id']}/versions/{version}/restore",
                   {"version": config["version"]}, session.key(), unkeyed=True, repeated=True, fine={"VERSION_CONFLICT"},
                   resource=f"{game}:{config['id']}")


@act(0.5)
def rank(session):
    players = session.random.sample(session.event.players, 5)
    items = [{"external_id": who, "rank": place, "score": session.random.randint(0, 9999)} for place, who in enumerate(players, 1)]
    session.do("rank", ADMIN, "PUT", "/admin/api/ranking/2025-12-30", {"items": items}, session.key(), unkeyed=True, repeated=True)


# -- Operators: players

@act(1.5)
def block_and_let_back_in(session):
    """Nobody else does it to the same player meanwhile, so that it is known from when until when the player is out."""
    who = session.random.choice(session.event.blockable)
    with session.event.account_lock(f"block {who}"):
        blocked = session.do("block", ADMIN, "PUT", f"/admin/api/users/external_id:{who}", {"status": "BLOCKED"}, session.key(), whom=who)
        if blocked.is_acknowledged:
            # Somebody tries.
            session.do("play", who, "POST", "/api/dice/play", None, session.key(), feature="DICE", fine=SWITCHED | {"NOT_ENOUGH_TOKENS"})
        session.do("let in", ADMIN, "PUT", f"/admin/api/users/external_id:{who}", {"status": "ACTIVE"}, session.key(), whom=who)


@act(1)
def rename(session):
    who = session.player()
    session.do("rename", ADMIN, "PUT", f"/admin/api/users/external_id:{who}", {"nickname": session.key()[-60:]}, session.key(), whom=who)


@act(2)
def welcome(session):
    """A new player, who stamps and plays at once, on any replica."""
    who = f"new-{session.key()}"
    made = session.do("new player", ADMIN, "POST", "/admin/api/users/", {"external_id": who, "password": "new-password", "level": 7},
                      session.key(), whom=who)
    if not made.is_acknowledged:
        return
    session.event.passwords[who] = "new-password"
    if session.log_in(who, None):
        # Two devices, each with a key of its own: one of them is told that it is too late.
        session.at_once(lambda session: collect(session, who), lambda session: collect(session, who))
        session.at_once(lambda session: take_level(session, who), lambda session: take_level(session, who))
    session.event.newcomers.append(who)
    del session.event.newcomers[:-20]


@act(0.4)
def import_players(session):
    key = session.key()
    names = [f"imp-{key}-{number}" for number in range(3)]
    session.do("import", ADMIN, "POST", "/admin/api/users/import?dry_run=false", "external_id\n" + "".join(f"{each}\n" for each in names), key,
               names=names)


@act(0.4)
def anonymise(session):
    who = f"gone-{session.key()}"
    made = session.do("new player", ADMIN, "POST", "/admin/api/users/", {"external_id": who, "password": "new-password"}, session.key(), whom=who)
    if made.is_acknowledged:
        user_id = made.good.answer.body["id"]
        session.do("anonymise", ADMIN, "POST", f"/admin/api/users/{user_id}/anonymise", {}, session.key(), user_id=user_id)


@act(2)
def give_key(session):
    who = session.random.choice(session.event.newcomers or session.event.players)
    deed = session.do("gift", ADMIN, "POST", "/admin/api/event-bridge/keys", {"day": 1, "external_id": who}, session.key(), whom=who,
                      fine={"BRIDGE_CONFLICT"})
    if deed.is_acknowledged and deed.good.answer.body["given"]:
        session.event.gifts.append(deed.good.answer.body["gift_id"])


@act(0.5)
def take_key_back(session):
    if session.event.gifts:
        gift = session.random.choice(session.event.gifts)
        session.do("gift back", ADMIN, "POST", f"/admin/api/event-bridge/keys/{gift}/revert", {"dry_run": False}, session.key())


@act(3)
def look_around(session):
    path = session.random.choice([
        "dashboard/metrics", "game-tokens/ledger?limit=20", "game-tokens/wallets?limit=20", "game-tokens/play-logs?limit=20", "logs/audit?limit=20",
        "logs/events?limit=20", "users/?size=20", "coupons/", "event-bridge/", "event-bridge/keys", "game-tokens/batches/", "external-ranking/",
        "seasons/", "odds/lottery", "game-tokens/ledger.csv", "game-tokens/payout.csv", "feature-schedule/?start_date=2025-12-25&end_date=2025-12-26",
    ])
    session.do("read", ADMIN, "GET", f"/admin/api/{path}")
