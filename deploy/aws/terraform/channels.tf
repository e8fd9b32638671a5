# The stream, the queues, the topics.

resource "aws_kinesis_stream" "stream" {
  count            = var.with_stream ? 1 : 0
  name             = var.stream_name
  shard_count      = var.stream_shards
  retention_period = 24
  encryption_type  = "KMS"
  kms_key_id       = var.kms_key_arn == "" ? "alias/aws/kinesis" : var.kms_key_arn

  stream_mode_details {
    stream_mode = "PROVISIONED"
  }
}

resource "aws_sqs_queue" "objects" {
  count = var.with_objects ? 1 : 0
  name  = "${var.name}-objects"
  # Six times as long as the function may take, as Lambda's guide asks.
  visibility_timeout_seconds = 5400
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = var.kms_key_arn == "" ? true : null
  kms_master_key_id          = var.kms_key_arn == "" ? null : var.kms_key_arn
}

resource "aws_sqs_queue_redrive_policy" "objects" {
  count          = var.with_objects ? 1 : 0
  queue_url      = aws_sqs_queue.objects[0].id
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn, maxReceiveCount = 5 })
}

data "aws_iam_policy_document" "objects_queue" {
  count = var.with_objects ? 1 : 0

  statement {
    sid       = "TheBucketTellsOfNewObjects"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.objects[0].arn]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = ["arn:${data.aws_partition.here.partition}:s3:::${var.name}-objects-${local.place}"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_sqs_queue_policy" "objects" {
  count     = var.with_objects ? 1 : 0
  queue_url = aws_sqs_queue.objects[0].id
  policy    = data.aws_iam_policy_document.objects_queue[0].json
}

resource "aws_sqs_queue" "dead_letters" {
  name                       = "${var.name}-dead-letters"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 300
  sqs_managed_sse_enabled    = var.kms_key_arn == "" ? true : null
  kms_master_key_id          = var.kms_key_arn == "" ? null : var.kms_key_arn
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = var.kms_key_arn == "" ? "alias/aws/sns" : var.kms_key_arn
}

# Not encrypted by a key of KMS: CloudWatch's alarms cannot publish to a topic under the key that SNS manages.
resource "aws_sns_topic" "operators" {
  name = "${var.name}-operators"
}

resource "aws_sns_topic_subscription" "alerts_by_text" {
  count     = var.alert_phone == "" ? 0 : 1
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "sms"
  endpoint  = var.alert_phone
}

resource "aws_sns_topic_subscription" "alerts_by_email" {
  count     = var.alert_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = var.alert_email
}

resource "aws_sns_topic_subscription" "operators_by_email" {
  count     = var.operator_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.operators.arn
  protocol  = "email"
  endpoint  = var.operator_email
}
