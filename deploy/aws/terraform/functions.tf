# The functions, and what calls them.

resource "aws_cloudwatch_log_group" "kinesis" {
  count             = var.with_stream ? 1 : 0
  name              = "/aws/lambda/${var.name}-kinesis"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "kinesis" {
  count         = var.with_stream ? 1 : 0
  function_name = "${var.name}-kinesis"
  description   = "Judges records of the stream."
  handler       = "watchband.apps.aws_lambda.handler.kinesis"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.kinesis[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.memory
  timeout       = 120
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.kinesis]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.kinesis[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_event_source_mapping" "kinesis" {
  count                              = var.with_stream ? 1 : 0
  function_name                      = aws_lambda_function.kinesis[0].arn
  event_source_arn                   = aws_kinesis_stream.stream[0].arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 500
  maximum_batching_window_in_seconds = 5
  # One at a time for each shard: one writes the state.
  parallelization_factor         = 1
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 10
  maximum_record_age_in_seconds  = 86400
  function_response_types        = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "readings" {
  count             = var.with_readings ? 1 : 0
  name              = "/aws/lambda/${var.name}-readings"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "readings" {
  count         = var.with_readings ? 1 : 0
  function_name = "${var.name}-readings"
  description   = "Judges readings that are written to the table."
  handler       = "watchband.apps.aws_lambda.handler.dynamodb_stream"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.readings[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.memory
  timeout       = 120
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.readings]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.readings[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_event_source_mapping" "readings" {
  count                              = var.with_readings ? 1 : 0
  function_name                      = aws_lambda_function.readings[0].arn
  event_source_arn                   = aws_dynamodb_table.readings[0].stream_arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = 500
  maximum_batching_window_in_seconds = 5
  # One at a time for each shard: one writes the state.
  parallelization_factor         = 1
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = 10
  maximum_record_age_in_seconds  = 86400
  function_response_types        = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }

  # What time to live removes is no reading.
  filter_criteria {
    filter {
      pattern = "{\"eventName\": [\"INSERT\", \"MODIFY\"]}"
    }
  }
}

resource "aws_cloudwatch_log_group" "objects" {
  count             = var.with_objects ? 1 : 0
  name              = "/aws/lambda/${var.name}-objects"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "objects" {
  count         = var.with_objects ? 1 : 0
  function_name = "${var.name}-objects"
  description   = "Judges objects that are put into the bucket."
  handler       = "watchband.apps.aws_lambda.handler.queue"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.objects[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.memory
  timeout       = 900
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.objects]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.objects[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_event_source_mapping" "objects" {
  count                   = var.with_objects ? 1 : 0
  function_name           = aws_lambda_function.objects[0].arn
  event_source_arn        = aws_sqs_queue.objects[0].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}

resource "aws_cloudwatch_log_group" "poll" {
  count             = var.poll_every != "off" ? 1 : 0
  name              = "/aws/lambda/${var.name}-poll"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "poll" {
  count         = var.poll_every != "off" ? 1 : 0
  function_name = "${var.name}-poll"
  description   = "Asks the sources of the configuration."
  handler       = "watchband.apps.aws_lambda.handler.poll"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.poll[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.memory
  timeout       = 120
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.poll]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.poll[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_function_event_invoke_config" "poll" {
  count                        = var.poll_every != "off" ? 1 : 0
  function_name                = aws_lambda_function.poll[0].function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "train" {
  count             = var.train_when != "off" ? 1 : 0
  name              = "/aws/lambda/${var.name}-train"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "train" {
  count         = var.train_when != "off" ? 1 : 0
  function_name = "${var.name}-train"
  description   = "Trains cut-offs anew."
  handler       = "watchband.apps.aws_lambda.handler.train"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.train[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.batch_memory
  timeout       = 900
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.train]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.train[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_function_event_invoke_config" "train" {
  count                        = var.train_when != "off" ? 1 : 0
  function_name                = aws_lambda_function.train[0].function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_cloudwatch_log_group" "export" {
  count             = var.export_when != "off" ? 1 : 0
  name              = "/aws/lambda/${var.name}-export"
  retention_in_days = var.log_days
}

resource "aws_lambda_function" "export" {
  count         = var.export_when != "off" ? 1 : 0
  function_name = "${var.name}-export"
  description   = "Exports readings to the archive."
  handler       = "watchband.apps.aws_lambda.handler.export"
  runtime       = "python3.12"
  architectures = [var.architecture]
  role          = aws_iam_role.export[0].arn
  s3_bucket     = var.code_bucket
  s3_key        = var.code_key
  memory_size   = var.batch_memory
  timeout       = 900
  kms_key_arn   = var.kms_key_arn == "" ? null : var.kms_key_arn
  depends_on    = [aws_iam_role_policy.export]

  environment {
    variables = local.environment
  }

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.export[0].name
  }

  tracing_config {
    mode = var.tracing
  }
}

resource "aws_lambda_function_event_invoke_config" "export" {
  count                        = var.export_when != "off" ? 1 : 0
  function_name                = aws_lambda_function.export[0].function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }
}
