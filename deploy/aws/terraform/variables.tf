# The parameters of the template, by the same names in Terraform's spelling.

variable "name" {
  type        = string
  default     = "watchband"
  description = "What the names of everything begin with; several installations in an account have different ones."

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{1,24})$", var.name))
    error_message = "It is not as described: What the names of everything begin with; several installations in an account have different ones."
  }
}

variable "code_bucket" {
  type        = string
  description = "Bucket that holds the package, in this region."

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$", var.code_bucket))
    error_message = "It is not as described: Bucket that holds the package, in this region."
  }
}

variable "code_key" {
  type        = string
  default     = "watchband-lambda.zip"
  description = "Key of the package that `watchband aws package` wrote. Give each release a key of its own."
}

variable "architecture" {
  type        = string
  default     = "x86_64"
  description = "Processors of the functions; the package must be of the same."

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "Must be one of x86_64, arm64."
  }
}

variable "config" {
  type        = string
  default     = "watchband.yaml"
  description = "The configuration, in the package, or s3://BUCKET/KEY in the data bucket below config/."
}

variable "with_stream" {
  type        = bool
  default     = false
  description = "A Kinesis stream and the function that reads it. It is the only thing that costs while nothing happens."
}

variable "stream_name" {
  type        = string
  default     = "cloudwatch-metrics-stream"
  description = "Name of that stream."

  validation {
    condition     = can(regex("^([A-Za-z0-9_.-]{1,128})$", var.stream_name))
    error_message = "It is not as described: Name of that stream."
  }
}

variable "stream_shards" {
  type        = number
  default     = 1
  description = "Its shards; each takes 1,000 records and 1 MB a second."

  validation {
    condition     = var.stream_shards >= 1 && var.stream_shards <= 500
    error_message = "Must be from 1 to 500."
  }
}

variable "with_readings" {
  type        = bool
  default     = true
  description = "A table of readings whose stream is judged; who writes an item there sends a reading."
}

variable "with_objects" {
  type        = bool
  default     = true
  description = "A bucket whose new objects are judged."
}

variable "poll_every" {
  type        = string
  default     = "off"
  description = "How often the sources of the configuration are asked, as rate(1 minute); off for never."

  validation {
    condition     = can(regex("^(off|rate\\([1-9]\\d* (minute|minutes|hour|hours)\\)|cron\\(.+\\))$", var.poll_every))
    error_message = "It is not as described: How often the sources of the configuration are asked, as rate(1 minute); off for never."
  }
}

variable "train_when" {
  type        = string
  default     = "off"
  description = "When cut-offs are trained anew, as cron(15 2 * * ? *); off for never."

  validation {
    condition     = can(regex("^(off|rate\\([1-9]\\d* (hour|hours|day|days)\\)|cron\\(.+\\))$", var.train_when))
    error_message = "It is not as described: When cut-offs are trained anew, as cron(15 2 * * ? *); off for never."
  }
}

variable "export_when" {
  type        = string
  default     = "cron(30 1 * * ? *)"
  description = "When readings are exported to the archive; off for never."

  validation {
    condition     = can(regex("^(off|rate\\([1-9]\\d* (hour|hours|day|days)\\)|cron\\(.+\\))$", var.export_when))
    error_message = "It is not as described: When readings are exported to the archive; off for never."
  }
}

variable "alert_phone" {
  type        = string
  default     = ""
  description = "A telephone that gets alerts as text messages, as +353861234567; none if empty."

  validation {
    condition     = can(regex("^((\\+[1-9]\\d{6,14})?)$", var.alert_phone))
    error_message = "It is not as described: A telephone that gets alerts as text messages, as +353861234567; none if empty."
  }
}

variable "alert_email" {
  type        = string
  default     = ""
  description = "An address that gets alerts; none if empty. It must confirm."
}

variable "operator_email" {
  type        = string
  default     = ""
  description = "An address that hears when the pipeline itself is in trouble; none if empty. It must confirm."
}

variable "parts" {
  type        = number
  default     = 1
  description = "Parts that entities are shared out into, each with a log of its own; not to be changed later."

  validation {
    condition     = contains([1, 2, 4, 8, 16, 32, 64, 128, 256], var.parts)
    error_message = "Must be one of 1, 2, 4, 8, 16, 32, 64, 128, 256."
  }
}

variable "silence" {
  type        = string
  default     = ""
  description = "How long without news a source is silent, as 10m; the poll looks. Empty for never."
}

variable "memory" {
  type        = number
  default     = 256
  description = "MB of the functions that judge readings. More memory is more processor too."

  validation {
    condition     = var.memory >= 128 && var.memory <= 10240
    error_message = "Must be from 128 to 10240."
  }
}

variable "batch_memory" {
  type        = number
  default     = 1024
  description = "MB of the functions that train and export."

  validation {
    condition     = var.batch_memory >= 128 && var.batch_memory <= 10240
    error_message = "Must be from 128 to 10240."
  }
}

variable "kms_key_arn" {
  type        = string
  default     = ""
  description = "A KMS key of your own for everything that is kept; empty for keys that the services own."

  validation {
    condition     = can(regex("^((arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/[A-Za-z0-9-]+)?)$", var.kms_key_arn))
    error_message = "It is not as described: A KMS key of your own for everything that is kept; empty for keys that the services own."
  }
}

variable "tracing" {
  type        = string
  default     = "PassThrough"
  description = "Active sends traces of every invocation to X-Ray."

  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "Must be one of Active, PassThrough."
  }
}

variable "log_days" {
  type        = number
  default     = 30
  description = "Days that logs are kept."

  validation {
    condition     = contains([1, 3, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 3653], var.log_days)
    error_message = "Must be one of 1, 3, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 3653."
  }
}

variable "cold_after_days" {
  type        = number
  default     = 30
  description = "Days until the archive moves to Standard-IA, which can still be read at once."

  validation {
    condition     = var.cold_after_days >= 30 && var.cold_after_days <= 3650
    error_message = "Must be from 30 to 3650."
  }
}

variable "deep_after_days" {
  type        = number
  default     = 180
  description = "Days until it moves to Glacier Instant Retrieval, cheaper to keep and dearer to read, at once as well."

  validation {
    condition     = var.deep_after_days >= 90 && var.deep_after_days <= 7300
    error_message = "Must be from 90 to 7300."
  }
}
