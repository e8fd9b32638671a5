"""E-mail: alerts by SMTP, as text, as HTML and with their chart inside."""
