output "store_table" {
  description = "The store, for `store: dynamodb://REGION/TABLE`."
  value       = aws_dynamodb_table.store.name
}

output "data_bucket" {
  description = "Archive, large snapshots, configuration."
  value       = aws_s3_bucket.data.id
}

output "alerts_topic" {
  description = "Subscribe whoever is to be told."
  value       = aws_sns_topic.alerts.arn
}

output "operators_topic" {
  description = "Subscribe whoever runs this."
  value       = aws_sns_topic.operators.arn
}

output "dead_letters" {
  description = "Queue of what could not be judged or told."
  value       = aws_sqs_queue.dead_letters.url
}

output "stream" {
  description = "Stream for records."
  value       = one(aws_kinesis_stream.stream[*].name)
}

output "readings_table" {
  description = "Table for readings."
  value       = one(aws_dynamodb_table.readings[*].name)
}

output "objects_bucket" {
  description = "Bucket for objects with readings."
  value       = one(aws_s3_bucket.objects[*].id)
}

output "board" {
  description = "The dashboard of the pipeline."
  value       = "https://console.aws.amazon.com/cloudwatch/home?region=${data.aws_region.here.region}#dashboards:name=${var.name}"
}
