# {service} {release} on {host}
# Keystone reads the command line as its own, so the application is named here.
wsgi_app = "keystone.server.wsgi:initialize_public_application()"
bind = "127.0.0.1:{api}"
# one synchronous worker: connections to SQLite must stay in their thread
workers = 1
graceful_timeout = 5
# the control socket would be one for all hosts
control_socket_disable = True
