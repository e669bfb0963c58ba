"""Judges what schemathesis has reported: whatever no known exception explains fails the run.

usage: judge.py DOCUMENT EXCEPTIONS REPORT…    a REPORT is DATABASE-ROLE.ndjson

Besides the reports of schemathesis' own checks, every request that fits the document and is refused with 415 or 422 is a
report, with the problems that the answer names. 400, 404, 409 and 410 are rules of the event, not of the contract's form.
An error code that the document does not list for the operation and status is one too.
"""

import base64
import collections
import json
import pathlib
import re
import sys
import tomllib

# Never explained away: the server failed, or did not answer.
NEVER = {"not_a_server_error"}


def main():
    paths = json.loads(pathlib.Path(sys.argv[1]).read_text())["paths"]
    exceptions = tomllib.loads(pathlib.Path(sys.argv[2]).read_text())["exception"]
    for exception in exceptions:
        if exception["check"] in NEVER or not exception.get("reason"):
            sys.exit(f"no exception is possible: {exception}")
        exception["used"] = 0
    unexplained = collections.defaultdict(list)
    requests = refused = 0
    for name in sys.argv[3:]:
        run = pathlib.Path(name).stem
        finished = False
        for line in pathlib.Path(name).read_text().splitlines():
            [(kind, event)] = json.loads(line).items()
            finished |= kind == "EngineFinished"
            if kind in ("NonFatalError", "FatalError", "Interrupted"):
                unexplained[("error", event.get("label", "?"), shorten(json.dumps(event), 600))].append(run)
            if kind != "ScenarioFinished":
                continue
            recorder = event["recorder"]
            requests += len(recorder.get("interactions", {}))
            for report in reports(recorder, paths):
                refused += 1
                for problem in report["problems"]:
                    if not explained(report, problem, exceptions):
                        key = (report["check"], report["operation"], f"{report['status']} {alike(problem)}")
                        unexplained[key].append(f"{run}: {report['request']}")
        if not finished:
            unexplained[("error", run, "the run did not end")].append(run)
    for (check, operation, what), found in sorted(unexplained.items()):
        print(f"\n{check}: {operation}\n  {what}\n  {len(found)} times, such as {found[0]}")
    for exception in exceptions:
        if not exception["used"]:
            print(f"\nnot used, so perhaps not needed any more: {exception['reason']}")
    print(f"\n{requests} requests, {refused} reports, {len(unexplained)} kinds of them unexplained.")
    sys.exit(1 if unexplained or not requests else 0)


def reports(recorder, paths):
    """What is odd about the answers of one scenario."""
    operation = recorder["label"]
    method, _, path = operation.partition(" ")
    documented = paths.get(path, {}).get(method.lower(), {}).get("responses", {})
    for case_id, node in recorder.get("cases", {}).items():
        case = node["value"]
        interaction = recorder.get("interactions", {}).get(case_id) or {}
        response = interaction.get("response")
        found = {
            "operation": operation,
            "status": response and response["status_code"],
            "request": shorten(request(interaction), 400),
        }
        if response is None:
            yield found | {"check": "not_a_server_error", "problems": ["no answer"]}
            continue
        code = error_of(response).get("code")
        listed = documented.get(str(response["status_code"]), {}).get("description", "")
        if code and case["method"] == method and f"`{code}`" not in listed:
            yield found | {"check": "documented_code", "problems": [code]}
        mode = case.get("meta", {}).get("generation", {}).get("mode")
        if mode == "positive" and response["status_code"] in (415, 422):
            yield found | {"check": "accepted", "problems": problems_of(response)}
        for check in recorder.get("checks", {}).get(case_id, []):
            if check["status"] == "success":
                continue
            info = check["failure_info"]["failure"]
            yield found | {"check": check["name"], "problems": [f"{info['title']}: {info['message']}"]}


def error_of(response):
    """The error of the contract, if the answer is one."""
    try:
        return json.loads(base64.b64decode(response["content"]["$base64"]))["error"]
    except (TypeError, KeyError, ValueError):
        return {}


def problems_of(response):
    """`field: problem` for each that the answer names, or else its code."""
    error = error_of(response)
    details = error.get("details") or {}
    named = [f"{field}: {text}" for field, texts in details.items() for text in texts]
    return named or [error.get("code", "no error of the contract")]


def alike(problem):
    """A problem without what differs from request to request."""
    problem = " ".join(problem.split())
    problem = re.sub(r'"(?:[^"\\]|\\.)*"', '"…"', problem)
    return shorten(re.sub(r"\b\d+\.|line \d+", "#.", problem), 600)


def explained(report, problem, exceptions):
    for exception in exceptions:
        if (
            exception["check"] == report["check"]
            and report["check"] not in NEVER
            and re.fullmatch(exception.get("operation", ".*"), report["operation"])
            and re.search(exception.get("problem", ""), problem)
        ):
            exception["used"] += 1
            return True
    return False


def request(interaction):
    sent = interaction.get("request") or {}
    headers = {
        name: values
        for name, values in sent.get("headers", {}).items()
        if name.lower() in ("content-type", "if-match", "x-reason", "idempotency-key")
    }
    body = (sent.get("body") or {}).get("$base64", "")
    text = base64.b64decode(body).decode("utf-8", "replace")
    return f"{sent.get('method')} {sent.get('uri')} {headers} {text}"


def shorten(text, length):
    return text if len(text) <= length else text[:length] + "…"


main()
