# Watchband on AWS: the same as ../template.yaml, for those who use Terraform. A test compares the two resource by
# resource; it was not applied to an account.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  place     = "${data.aws_caller_identity.here.account_id}-${data.aws_region.here.region}"
  scheduled = var.poll_every != "off" || var.train_when != "off" || var.export_when != "off"

  environment = {
    WATCHBAND_CONFIG       = var.config
    WATCHBAND_TABLE        = aws_dynamodb_table.store.name
    WATCHBAND_BUCKET       = aws_s3_bucket.data.id
    WATCHBAND_TOPIC        = aws_sns_topic.alerts.arn
    WATCHBAND_DEAD_LETTERS = aws_sqs_queue.dead_letters.url
    WATCHBAND_PARTS        = var.parts
    WATCHBAND_SILENCE      = var.silence
  }
}
