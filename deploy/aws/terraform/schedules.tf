# What runs on a schedule, and the one role that starts it.

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

data "aws_iam_policy_document" "schedule" {
  count = local.scheduled ? 1 : 0

  statement {
    sid     = "Invoke"
    actions = ["lambda:InvokeFunction"]
    resources = concat(
      aws_lambda_function.poll[*].arn,
      aws_lambda_function.train[*].arn,
      aws_lambda_function.export[*].arn,
    )
  }

  statement {
    sid       = "DeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.dead_letters.arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == "" ? [] : [1]
    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [var.kms_key_arn]
    }
  }
}

resource "aws_iam_role" "schedule" {
  count              = local.scheduled ? 1 : 0
  name_prefix        = "${var.name}-schedule-"
  assume_role_policy = data.aws_iam_policy_document.scheduler.json
}

resource "aws_iam_role_policy" "schedule" {
  count  = local.scheduled ? 1 : 0
  name   = "watchband"
  role   = aws_iam_role.schedule[0].id
  policy = data.aws_iam_policy_document.schedule[0].json
}

resource "aws_scheduler_schedule" "poll" {
  count               = var.poll_every != "off" ? 1 : 0
  name                = "${var.name}-poll"
  schedule_expression = var.poll_every

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.poll[0].arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = "{\"source\": \"schedule\"}"

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_scheduler_schedule" "train" {
  count               = var.train_when != "off" ? 1 : 0
  name                = "${var.name}-train"
  schedule_expression = var.train_when

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.train[0].arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = "{\"source\": \"schedule\"}"

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_scheduler_schedule" "export" {
  count               = var.export_when != "off" ? 1 : 0
  name                = "${var.name}-export"
  schedule_expression = var.export_when

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.export[0].arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = "{\"source\": \"schedule\"}"

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }

    dead_letter_config {
      arn = aws_sqs_queue.dead_letters.arn
    }
  }
}
