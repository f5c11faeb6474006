"""Asks a local AWS through botocore's own clients, and holds each answer and each refusal against AWS's models."""

import collections
import json

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from models import Problems

# AWS's own pages say of these answers that they are empty where there is nothing, and boto3 relies on it
EMPTY_ALL_THE_SAME = ("BatchGetItem.UnprocessedKeys: 0 is beyond", "BatchWriteItem.UnprocessedItems: 0 is beyond")


class Asker:
    def __init__(self, endpoint, key, secret, region):
        self._session = botocore.session.get_session()
        self._options = {
            "endpoint_url": endpoint,
            "region_name": region,
            "aws_access_key_id": key,
            "aws_secret_access_key": secret,
            # what AWS refuses must come to the endpoint, which has to refuse it itself
            "config": Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, parameter_validation=False),
        }
        self._clients = {}
        self._raw = None
        self.problems = Problems()
        self.answers = collections.Counter()
        self.refusals = collections.Counter()
        self.found = []

    def client(self, service):
        if service not in self._clients:
            client = self._session.create_client(service, **self._options)
            client.meta.events.register("before-parse." + service, self._keep)
            self._clients[service] = client
        return self._clients[service]

    def _keep(self, response_dict, **_):
        self._raw = response_dict

    def ask(self, service, method, **given):
        """An answer, which must be as the model says; `None` where there was a refusal instead, which is a problem."""
        client, model = self._of(service, method)
        try:
            answer = getattr(client, method)(**given)
        except ClientError as error:
            self.found.append(f"{model.name} was refused: {_said(error)}")
            return None
        self.answers[f"{service}:{model.name}"] += 1
        value = {name: inner for name, inner in answer.items() if name != "ResponseMetadata"}
        if model.output_shape is not None:
            parsed = {name: b"stream" if hasattr(inner, "read") else inner for name, inner in value.items()}
            problems = self.problems.of(parsed, model.output_shape, model.name)
            self.found += [f"{service}:{problem}" for problem in problems if not problem.startswith(EMPTY_ALL_THE_SAME)]
            self._unparsed(model)
        return answer

    def refused(self, code, service, method, **given):
        """A refusal, with the code and the status that the model has for it."""
        client, model = self._of(service, method)
        try:
            getattr(client, method)(**given)
        except ClientError as error:
            said = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            known = [shape for shape in model.error_shapes if said in (shape.name, shape.error_code)]
            due = known[0].metadata.get("error", {}).get("httpStatusCode") if known else None
            if said != code:
                self.found.append(f"{model.name} was refused with {_said(error)} where {code} was due")
            elif due is not None and due != status:
                self.found.append(f"{model.name} was refused with {said} and {status}, and the model has {due}")
            else:
                self.refusals[f"{service}:{model.name} {code}"] += 1
            return
        self.found.append(f"{model.name} was answered where {code} was due")

    def _of(self, service, method):
        client = self.client(service)
        return client, client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])

    def _unparsed(self, model):
        """botocore leaves out what it does not know: in JSON that is seen here, and so is what is null."""
        if not model.service_model.metadata["protocol"].endswith("json") or not self._raw or not self._raw.get("body"):
            return
        if getattr(model.output_shape, "serialization", {}).get("payload"):
            return
        self._walk(json.loads(self._raw["body"]), model.output_shape, model.name)

    def _walk(self, value, shape, path):
        if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
            names = {inner.serialization.get("name", name): inner for name, inner in shape.members.items()}
            for name, inner in value.items():
                if name not in names:
                    self.found.append(f"{path}.{name} is not in the model")
                elif inner is None:
                    self.found.append(f"{path}.{name} is null, where AWS leaves it out")
                else:
                    self._walk(inner, names[name], f"{path}.{name}")
        elif shape.type_name == "list" and isinstance(value, list):
            for inner in value:
                self._walk(inner, shape.member, f"{path}[]")
        elif shape.type_name == "map" and isinstance(value, dict):
            for inner in value.values():
                self._walk(inner, shape.value, f"{path}.*")


def _said(error):
    said = error.response["Error"]
    return f"{said['Code']} ({said.get('Message', '')[:120]})"
