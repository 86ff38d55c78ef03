"""Says what is wrong with AWS CLI commands: operation, flags, --query. Stdin: a JSON list of commands. Stdout: a JSON list of problems."""

import json
import shlex
import sys

import botocore.session
import jmespath
from botocore import xform_name

OF_THE_CLI = {"query", "output", "region", "profile", "endpoint-url", "cli-binary-format", "max-items", "page-size", "starting-token"}
# Of the CLI alone. `npm run deploy:try` runs them.
OWN_COMMANDS = {("cloudformation", "package"), ("cloudformation", "deploy"), ("s3", "mb")}
session = botocore.session.get_session()


def problem_of(command):
    _, service, operation, *words = shlex.split(command)
    if (service, operation) in OWN_COMMANDS:
        return None
    if service not in session.get_available_services():
        return f"no service {service}"
    model = session.get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in named:
        return f"{service} has no {operation}"
    shape = model.operation_model(named[operation]).input_shape
    members = {xform_name(name, "-"): member for name, member in shape.members.items()} if shape else {}
    flags = [word[2:] for word in words if word.startswith("--")]
    for flag in flags:
        negated = flag[3:] if flag.startswith("no-") else flag
        if flag not in OF_THE_CLI and flag not in members and getattr(members.get(negated), "type_name", "") != "boolean":
            return f"{service} {operation} has no --{flag}"
    missing = [name for name in (shape.required_members if shape else []) if xform_name(name, "-") not in flags]
    if missing:
        return f"{service} {operation} without --{xform_name(missing[0], '-')}"
    for flag, value in zip(words, words[1:]):
        if flag == "--query":
            jmespath.compile(value)
    return None


problems = []
for command in json.load(sys.stdin):
    try:
        problem = problem_of(command)
    except Exception as error:
        problem = str(error)
    if problem is not None:
        problems.append(f"{command}: {problem}")
print(json.dumps(problems))
