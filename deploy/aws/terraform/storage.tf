# What is kept.

resource "aws_dynamodb_table" "store" {
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = true

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == "" ? [] : [1]
    content {
      enabled     = true
      kms_key_arn = var.kms_key_arn
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_dynamodb_table" "leases" {
  count        = var.with_stream ? 1 : 0
  name         = "${var.name}-leases"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "lease"

  attribute {
    name = "lease"
    type = "S"
  }

  # Leases are made anew from the store's positions: there is nothing to recover.
  point_in_time_recovery {
    enabled = false
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == "" ? [] : [1]
    content {
      enabled     = true
      kms_key_arn = var.kms_key_arn
    }
  }
}

resource "aws_dynamodb_table" "readings" {
  count            = var.with_readings ? 1 : 0
  name             = "${var.name}-readings"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "sensor"
  range_key        = "Timestamp"
  stream_enabled   = true
  stream_view_type = "NEW_IMAGE"

  attribute {
    name = "sensor"
    type = "S"
  }

  attribute {
    name = "Timestamp"
    type = "S"
  }

  ttl {
    attribute_name = "expires"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == "" ? [] : [1]
    content {
      enabled     = true
      kms_key_arn = var.kms_key_arn
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}
