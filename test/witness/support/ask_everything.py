"""Asks the local AWS of a lived engine for everything that it has, and writes as JSON what AWS's models have against its answers.

It reads {endpoint, key, secret, region, project, build, about} as JSON: where the endpoint is, what requests are signed with, a
project with the id of a build of it that has ended, and the names of the questions below that are asked.
"""

import io
import json
import sys
import zipfile

from asker import Asker

SITE = "shiplog-web-production-server"
ROLE = "arn:aws:iam::000000000000:role/witness"


def zipped(text):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("index.mjs", f"export const handler = async () => ({{ said: {text!r} }});")
    return held.getvalue()


def functions(it):
    name = "witness"
    new = {"Runtime": "nodejs22.x", "Role": ROLE, "Handler": "index.handler", "Code": {"ZipFile": zipped("one")}}
    of = {"FunctionName": name}
    client = it.client("lambda")

    def settle(waiter):
        waiting = client.get_waiter(waiter)
        waiting.wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    variables = {"Variables": {"A1": "b"}}
    it.ask("lambda", "create_function", **of, **new, Architectures=["arm64"], Environment=variables)
    it.refused("ResourceConflictException", "lambda", "update_function_configuration", **of, Timeout=4)
    settle("function_active")
    it.refused("ResourceConflictException", "lambda", "create_function", **of, **new)
    known = it.ask("lambda", "get_function_configuration", **of)
    it.ask("lambda", "update_function_configuration", **of, Timeout=9, RevisionId=known["RevisionId"])
    it.ask("lambda", "get_function_configuration", **of)
    settle("function_updated")
    code = {"ZipFile": zipped("two")}
    it.refused("PreconditionFailedException", "lambda", "update_function_code", **of, **code, RevisionId="another")
    it.ask("lambda", "update_function_code", **of, **code, Publish=True)
    settle("function_updated")
    it.refused("InvalidParameterValueException", "lambda", "publish_version", **of, CodeSha256="another")
    version = it.ask("lambda", "publish_version", **of)["Version"]
    it.ask("lambda", "list_versions_by_function", **of)
    it.ask("lambda", "create_alias", **of, Name="live", FunctionVersion=version, Description="seq=0 dep=none")
    it.refused("ResourceConflictException", "lambda", "create_alias", **of, Name="live", FunctionVersion=version)
    it.ask("lambda", "get_alias", **of, Name="live")
    it.refused("ResourceNotFoundException", "lambda", "get_alias", **of, Name="none")
    it.refused("PreconditionFailedException", "lambda", "update_alias", **of, Name="live", RevisionId="another")
    it.ask("lambda", "update_alias", **of, Name="live", FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}})
    it.ask("lambda", "invoke", **of, Qualifier="live", Payload=b"{}")
    it.ask("lambda", "create_function_url_config", **of, Qualifier="live", AuthType="NONE")
    it.ask("lambda", "update_function_url_config", **of, Qualifier="live", InvokeMode="RESPONSE_STREAM")
    permission = {"StatementId": "all", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    it.refused("ResourceNotFoundException", "lambda", "get_policy", **of, Qualifier="live")
    it.ask("lambda", "add_permission", **of, Qualifier="live", **permission)
    it.refused("ResourceConflictException", "lambda", "add_permission", **of, Qualifier="live", **permission)
    policy = it.ask("lambda", "get_policy", **of, Qualifier="live")
    it.refused("ResourceNotFoundException", "lambda", "remove_permission", **of, Qualifier="live", StatementId="none")
    statement = {"StatementId": "all", "RevisionId": policy["RevisionId"]}
    it.ask("lambda", "remove_permission", **of, Qualifier="live", **statement)
    it.ask("lambda", "delete_function_url_config", **of, Qualifier="live")
    it.refused("ResourceNotFoundException", "lambda", "delete_function_url_config", **of, Qualifier="live")
    it.refused("ResourceConflictException", "lambda", "delete_function", **of, Qualifier=version)
    for variables in ({"BIG": "x" * 5_000}, {"QUOTES": '"' * 3_000}, {"AWS_REGION": "x"}):
        given = {**new, "FunctionName": "refused", "Environment": {"Variables": variables}}
        it.refused("InvalidParameterValueException", "lambda", "create_function", **given)
    it.ask("lambda", "delete_alias", **of, Name="live")
    it.ask("lambda", "delete_function", **of)
    it.refused("ResourceNotFoundException", "lambda", "get_function_configuration", **of)
    # of a site that was deployed
    it.ask("lambda", "list_functions")
    it.ask("lambda", "list_functions", FunctionVersion="ALL", MaxItems=2)
    it.ask("lambda", "get_function_url_config", FunctionName=SITE, Qualifier="live")
    it.ask("lambda", "get_alias", FunctionName=SITE, Name="live")
    it.ask("lambda", "list_event_source_mappings")
    it.ask("lambda", "get_account_settings")


def queues(it):
    it.ask("sqs", "list_queues")
    url = it.ask("sqs", "create_queue", QueueName="witness")["QueueUrl"]
    other = it.ask("sqs", "create_queue", QueueName="witness-other")["QueueUrl"]
    of = {"QueueUrl": url}
    it.ask("sqs", "get_queue_url", QueueName="witness")
    it.refused("AWS.SimpleQueueService.NonExistentQueue", "sqs", "get_queue_url", QueueName="none")
    it.ask("sqs", "get_queue_attributes", **of, AttributeNames=["All"])
    it.ask("sqs", "receive_message", **of)
    attributes = {"MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}}}
    it.ask("sqs", "send_message", **of, MessageBody="x", DelaySeconds=0, **attributes)
    it.ask("sqs", "send_message_batch", **of, Entries=[{"Id": "1", "MessageBody": "y"}, {"Id": "2", "MessageBody": "z"}])
    got = it.ask("sqs", "receive_message", **of, MessageAttributeNames=["All"], AttributeNames=["All"], MaxNumberOfMessages=10)
    held = {"ReceiptHandle": got["Messages"][0]["ReceiptHandle"]}
    it.ask("sqs", "change_message_visibility", **of, **held, VisibilityTimeout=30)
    for bad in ({"ReceiptHandle": "bad"}, {"ReceiptHandle": held["ReceiptHandle"] + "x"}):
        it.refused("ReceiptHandleIsInvalid", "sqs", "delete_message", **of, **bad)
        it.refused("ReceiptHandleIsInvalid", "sqs", "change_message_visibility", **of, **bad, VisibilityTimeout=1)
    it.refused("ReceiptHandleIsInvalid", "sqs", "delete_message", QueueUrl=other, **held)
    entries = [{"Id": "good", **held}, {"Id": "bad", "ReceiptHandle": "bad"}]
    batch = it.ask("sqs", "delete_message_batch", **of, Entries=entries)
    if [one["Id"] for one in batch.get("Failed", [])] != ["bad"] or [one["Id"] for one in batch.get("Successful", [])] != ["good"]:
        it.found.append("DeleteMessageBatch does not tell the bad receipt handle from the good one")
    it.ask("sqs", "delete_message", **of, **held)
    for delay in (901, -1):
        it.refused("InvalidParameterValue", "sqs", "send_message", **of, MessageBody="x", DelaySeconds=delay)
    delayed = it.ask("sqs", "send_message_batch", **of, Entries=[{"Id": "1", "MessageBody": "x", "DelaySeconds": 901}])
    if [one["Code"] for one in delayed.get("Failed", [])] != ["InvalidParameterValue"]:
        it.found.append("SendMessageBatch takes a delay of 901 s")
    it.refused("InvalidMessageContents", "sqs", "send_message", **of, MessageBody="\x00")
    it.ask("sqs", "set_queue_attributes", **of, Attributes={"VisibilityTimeout": "60"})
    it.ask("sqs", "purge_queue", **of)
    it.refused("AWS.SimpleQueueService.PurgeQueueInProgress", "sqs", "purge_queue", **of)


def objects(it):
    it.ask("s3", "list_buckets")
    of = {"Bucket": "shiplog-static"}
    one = {**of, "Key": "witness/one"}
    it.ask("s3", "head_bucket", **of)
    it.refused("404", "s3", "head_bucket", Bucket="there-is-no-such-bucket")
    it.ask("s3", "put_object", **one, Body=b"1", ContentType="text/plain")
    for method in ("head_object", "get_object"):
        it.ask("s3", method, **one)
    it.ask("s3", "get_object", **one, Range="bytes=0-0")
    it.ask("s3", "list_objects_v2", **of, Prefix="witness/", Delimiter="/", MaxKeys=1)
    it.refused("PreconditionFailed", "s3", "put_object", **one, Body=b"2", IfNoneMatch="*")
    it.refused("NoSuchKey", "s3", "get_object", **of, Key="witness/none")
    it.refused("404", "s3", "head_object", **of, Key="witness/none")
    it.refused("NoSuchBucket", "s3", "get_object", Bucket="there-is-no-such-bucket", Key="x")
    it.refused("BadDigest", "s3", "put_object", **of, Key="witness/two", Body=b"1", ChecksumSHA256="A" * 43 + "=")
    copied = {**of, "Key": "witness/two", "CopySource": "shiplog-static/witness/one"}
    it.ask("s3", "copy_object", **copied, MetadataDirective="REPLACE", ContentType="text/html")
    parts = {**of, "Key": "witness/parts"}
    upload = it.ask("s3", "create_multipart_upload", **parts)["UploadId"]
    part = it.ask("s3", "upload_part", **parts, UploadId=upload, PartNumber=1, Body=b"part")
    done = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    it.ask("s3", "complete_multipart_upload", **parts, UploadId=upload, MultipartUpload=done)
    it.ask("s3", "delete_object", **parts)
    keys = [{"Key": "witness/one"}, {"Key": "witness/two"}]
    it.ask("s3", "delete_objects", **of, Delete={"Objects": keys})


def tables(it):
    it.ask("dynamodb", "list_tables")
    views = {"TableName": "shiplog-views"}
    key = {"pk": {"S": "witness"}, "sk": {"S": "one"}}
    for name in ("shiplog-events", "shiplog-views"):
        it.ask("dynamodb", "describe_table", TableName=name)
        it.ask("dynamodb", "describe_time_to_live", TableName=name)
    it.refused("ResourceNotFoundException", "dynamodb", "describe_table", TableName="none")
    it.ask("dynamodb", "get_item", **views, Key=key, ConsistentRead=True)
    it.ask("dynamodb", "put_item", **views, Item={**key, "n": {"N": "1"}}, ReturnConsumedCapacity="TOTAL")
    it.ask("dynamodb", "get_item", **views, Key=key)
    it.ask("dynamodb", "update_item", **views, Key=key, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": {"N": "2"}}, ReturnValues="ALL_NEW")
    once = {"ConditionExpression": "attribute_not_exists(pk)"}
    it.refused("ConditionalCheckFailedException", "dynamodb", "put_item", **views, Item=key, **once)
    it.refused("ValidationException", "dynamodb", "put_item", **views, Item={"pk": {"S": ""}, "sk": {"S": "x"}})
    it.refused("ValidationException", "dynamodb", "put_item", **views, Item={**key, "v": {"S": "x" * 410_000}})
    log = {"TableName": "shiplog-events", "IndexName": "log", "KeyConditionExpression": "gsi1pk = :a"}
    it.ask("dynamodb", "query", **log, ExpressionAttributeValues={":a": {"S": "x"}})
    it.refused("ValidationException", "dynamodb", "query", **log, ExpressionAttributeValues={":a": {"S": "x"}}, ConsistentRead=True)
    it.ask("dynamodb", "scan", TableName="shiplog-events", Limit=1)
    it.ask("dynamodb", "batch_write_item", RequestItems={"shiplog-views": [{"PutRequest": {"Item": {**key, "sk": {"S": "two"}}}}]})
    it.ask("dynamodb", "batch_get_item", RequestItems={"shiplog-views": {"Keys": [key]}})
    it.ask("dynamodb", "delete_item", **views, Key=key, ReturnValues="ALL_OLD")
    new = {
        "TableName": "witness",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}}
    it.ask("dynamodb", "create_table", **new, **stream)
    it.refused("ResourceInUseException", "dynamodb", "create_table", **new)
    it.client("dynamodb").get_waiter("table_exists").wait(TableName="witness", WaiterConfig={"Delay": 1})
    it.ask("dynamodb", "describe_table", TableName="witness")
    spec = {"AttributeName": "expiresAt", "Enabled": True}
    it.ask("dynamodb", "update_time_to_live", TableName="witness", TimeToLiveSpecification=spec)
    it.ask("dynamodb", "delete_table", TableName="witness")


def events(it):
    on = {"EventBusName": "shiplog"}
    it.ask("events", "create_event_bus", Name="witness")
    it.refused("ResourceAlreadyExistsException", "events", "create_event_bus", Name="witness")
    it.ask("events", "describe_event_bus", Name="shiplog")
    it.ask("events", "list_rules", **on)
    it.ask("events", "describe_rule", Name="shiplog-advance", **on)
    it.refused("ResourceNotFoundException", "events", "describe_rule", Name="none", **on)
    it.ask("events", "list_targets_by_rule", Rule="shiplog-advance", **on)
    it.ask("events", "put_rule", Name="witness", EventPattern='{"source":["witness"]}', **on)
    it.refused("InvalidEventPatternException", "events", "put_rule", Name="witness", EventPattern="no", **on)
    target = {"Id": "one", "Arn": "arn:aws:sqs:eu-west-1:000000000000:shiplog-advance-dead"}
    it.ask("events", "list_targets_by_rule", Rule="witness", **on)
    it.ask("events", "put_targets", Rule="witness", Targets=[target], **on)
    it.ask("events", "disable_rule", Name="witness", **on)
    it.ask("events", "enable_rule", Name="witness", **on)
    entry = {"Source": "witness.none", "DetailType": "x", "Detail": "{}", "EventBusName": "shiplog"}
    entries = [entry, {**entry, "Detail": "no JSON"}, {**entry, "Source": "aws.codebuild", "EventBusName": "default"}]
    put = it.ask("events", "put_events", Entries=entries)
    codes = [one.get("ErrorCode") for one in put["Entries"]]
    if codes != [None, "MalformedDetail", "NotAuthorizedForSourceException"] or put["FailedEntryCount"] != 2:
        it.found.append(f"PutEvents says {put['FailedEntryCount']} failed: {codes}")


def secrets_and_keys(it):
    of = {"SecretId": "shiplog/web/production"}
    it.ask("secretsmanager", "describe_secret", **of)
    it.ask("secretsmanager", "get_secret_value", **of)
    it.refused("ResourceNotFoundException", "secretsmanager", "get_secret_value", SecretId="none")
    it.ask("secretsmanager", "create_secret", Name="witness", SecretString="x")
    it.refused("ResourceExistsException", "secretsmanager", "create_secret", Name="witness", SecretString="x")
    it.ask("secretsmanager", "put_secret_value", SecretId="witness", SecretString="y")
    it.ask("secretsmanager", "delete_secret", SecretId="witness", ForceDeleteWithoutRecovery=True)
    key = {"KeyId": "alias/shiplog-seals"}
    how = {"MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    made = it.ask("kms", "create_key", KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    it.ask("kms", "create_alias", AliasName="alias/witness", TargetKeyId=made)
    it.refused("AlreadyExistsException", "kms", "create_alias", AliasName="alias/witness", TargetKeyId=made)
    it.ask("kms", "describe_key", **key)
    it.ask("kms", "get_public_key", **key)
    it.ask("kms", "sign", **key, **how, Message=b"x")
    it.refused("NotFoundException", "kms", "sign", KeyId="alias/none", **how, Message=b"x")
    it.refused("ValidationException", "kms", "sign", **key, **how, Message=b"x" * 5_000)


def builds_and_the_edge(it):
    name, build = place["project"], place["build"]
    unknown = f"{name}:00000000-0000-0000-0000-000000000000"
    it.ask("codebuild", "batch_get_projects", names=[name, "none"])
    it.ask("codebuild", "list_builds_for_project", projectName=name)
    it.refused("ResourceNotFoundException", "codebuild", "list_builds_for_project", projectName="none")
    project = it.ask("codebuild", "batch_get_projects", names=[name])["projects"][0]
    fields = ("source", "artifacts", "environment", "serviceRole")
    it.ask("codebuild", "create_project", name="witness", **{field: project[field] for field in fields})
    it.ask("codebuild", "update_project", name="witness", timeoutInMinutes=9)
    it.ask("codebuild", "list_builds_for_project", projectName="witness")
    it.ask("codebuild", "batch_get_projects", names=["none"])
    it.ask("codebuild", "batch_get_builds", ids=[build])
    it.ask("codebuild", "batch_get_builds", ids=[unknown])
    answer = it.ask("codebuild", "batch_get_builds", ids=[build, unknown])
    logs = answer["builds"][0]["logs"]
    it.refused("ResourceNotFoundException", "codebuild", "start_build", projectName="none")
    it.refused("ResourceNotFoundException", "codebuild", "stop_build", id=unknown)
    of = {"logGroupName": logs["groupName"], "logStreamName": logs["streamName"]}
    it.ask("logs", "get_log_events", **of, startFromHead=True, limit=5)
    it.refused("ResourceNotFoundException", "logs", "get_log_events", **{**of, "logStreamName": "none"})
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "witness"}
    it.ask("cloudfront", "create_invalidation", DistributionId="E0EXAMPLE", InvalidationBatch=batch)
    it.ask("cloudfront", "list_distributions", MaxItems="1")
    it.ask("service-quotas", "list_service_quotas", ServiceCode="codebuild")
    other = {"Paths": {"Quantity": 1, "Items": ["/other"]}, "CallerReference": "witness"}
    it.refused("InvalidationBatchAlreadyExists", "cloudfront", "create_invalidation", DistributionId="E0EXAMPLE", InvalidationBatch=other)


place = json.load(sys.stdin)
it = Asker(place["endpoint"], place["key"], place["secret"], place["region"])
for questions in (functions, queues, objects, tables, events, secrets_and_keys, builds_and_the_edge):
    if questions.__name__ not in place["about"]:
        continue
    try:
        questions(it)
    except Exception as error:  # what a question needs was not answered: the others are asked all the same
        it.found.append(f"the questions about {questions.__name__} broke off: {type(error).__name__} {error}")
json.dump(
    {
        "answers": dict(sorted(it.answers.items())),
        "refusals": dict(sorted(it.refusals.items())),
        "looked": it.problems.looked,
        "unreadable": sorted(it.problems.unreadable),
        "problems": sorted(set(it.found)),
    },
    sys.stdout,
)
