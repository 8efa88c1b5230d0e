#!/bin/sh
# SPDX-License-Identifier: EUPL-1.2
# Real hosts on loopback for tests, each in a folder of its own, stopped by the process id it wrote there:
#
#   hosts.sh ssh DIR         OpenSSH with git; the user is whoever runs this. DIR/port, DIR/user, DIR/host_ecdsa.pub,
#                            keys that are let in: DIR/user_ed25519, DIR/user_ecdsa, DIR/user_rsa; more in DIR/keys
#   hosts.sh https DIR       lighttpd with git-http-backend over TLS. DIR/port; DIR/ca.pem signed its certificate for
#                            localhost; the login is "buurt" with the password in DIR/password. Repositories lie in
#                            DIR/git; what was asked for, with which login, is in DIR/log
#   hosts.sh certificate DIR KIND   another certificate for a host that is not running: good, expired, foreign (of
#                            another authority), other-name
#   hosts.sh stop DIR...
#
# As root or as any user. DIR is made where it is missing; what is there is used again.
set -eu

# A port that nobody listens on now; whoever starts a server tries another one where it was taken meanwhile.
port()
{
	shuf -i 20000-59999 -n 1
}

# started PIDFILE LOG: the server wrote its id and lives
started()
{
	n=0
	while [ $n -lt 200 ]; do
		[ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null && return 0
		grep -qi -e 'address already in use' -e "can't bind" -e 'cannot bind' "$2" 2>/dev/null && return 1
		sleep 0.02
		n=$((n + 1))
	done
	return 1
}

ssh_config()
{
	cat <<-END
	Port $1
	ListenAddress 127.0.0.1
	HostKey $dir/host_ecdsa
	PidFile $dir/pid
	AuthorizedKeysFile $dir/keys
	StrictModes no
	UsePAM no
	PasswordAuthentication no
	PermitRootLogin yes
	MaxStartups 100
	END
}

ssh_host()
{
	[ -e "$dir/host_ecdsa" ] || ssh-keygen -q -t ecdsa -N '' -f "$dir/host_ecdsa"
	for kind in ed25519 ecdsa rsa; do
		[ -e "$dir/user_$kind" ] || ssh-keygen -q -t $kind -N '' -f "$dir/user_$kind"
	done
	[ -e "$dir/keys" ] || cat "$dir"/user_*.pub >"$dir/keys"
	id -un >"$dir/user"
	# what the package makes when its own server starts
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	tries=0
	while [ $tries -lt 20 ]; do
		if [ $tries -gt 0 ] || [ ! -e "$dir/port" ]; then
			port >"$dir/port"
		fi
		rm -f "$dir/pid" "$dir/log"
		ssh_config "$(cat "$dir/port")" >"$dir/config"
		/usr/sbin/sshd -f "$dir/config" -E "$dir/log"
		started "$dir/pid" "$dir/log" && return 0
		tries=$((tries + 1))
	done
	cat "$dir/log" >&2
	return 1
}

# authority NAME: DIR/NAME.pem and its key
authority()
{
	[ -e "$dir/$1.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
		-subj "/CN=$1" -keyout "$dir/$1.key" -out "$dir/$1.pem" 2>/dev/null
}

certificate()
{
	by=ca name=localhost days=365
	case $1 in
	expired) days=-1 ;;
	foreign) by=stranger ;;
	other-name) name=elders.example ;;
	esac
	authority ca
	authority stranger
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$dir/server.key" \
		-out "$dir/server.csr" 2>/dev/null
	printf 'subjectAltName=DNS:%s\n' "$name" >"$dir/server.ext"
	if [ $days -lt 0 ]; then
		mkdir -p "$dir/issued"
		: >"$dir/issued/index"
		echo 01 >"$dir/issued/serial"
		printf '[ca]\ndefault_ca=a\n[a]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
			"$dir/issued/index" "$dir/issued/serial" "$dir/issued" >"$dir/issued/config"
		openssl ca -batch -config "$dir/issued/config" -cert "$dir/$by.pem" -keyfile "$dir/$by.key" \
			-startdate 20200101000000Z -enddate 20200201000000Z -extfile "$dir/server.ext" -in "$dir/server.csr" \
			-out "$dir/server.pem" -notext 2>/dev/null
	else
		openssl x509 -req -in "$dir/server.csr" -CA "$dir/$by.pem" -CAkey "$dir/$by.key" -CAcreateserial -days $days \
			-extfile "$dir/server.ext" -out "$dir/server.pem" 2>/dev/null
	fi
	cat "$dir/server.key" "$dir/server.pem" >"$dir/both.pem"
}

# DIR/redirect, where it is there, is an address to which all that is asked for is sent on.
https_config()
{
	cat <<-END
	server.modules = ( "mod_openssl", "mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_redirect",
		"mod_cgi", "mod_accesslog" )
	server.port = $1
	server.bind = "127.0.0.1"
	server.document-root = "$dir/empty"
	server.errorlog = "$dir/errors"
	server.pid-file = "$dir/pid"
	server.upload-dirs = ( "$dir/tmp" )
	accesslog.filename = "$dir/log"
	accesslog.format = "%s %r [%{Authorization}i]"
	ssl.engine = "enable"
	ssl.pemfile = "$dir/both.pem"
	END
	if [ -e "$dir/redirect" ]; then
		printf 'url.redirect = ( "^/(.*)$" => "%s/$1" )\n' "$(cat "$dir/redirect")"
		return
	fi
	cat <<-END
	auth.backend = "plain"
	auth.backend.plain.userfile = "$dir/users"
	auth.require = ( "" => ( "method" => "basic", "realm" => "git", "require" => "valid-user" ) )
	alias.url = ( "/" => "/usr/lib/git-core/git-http-backend/" )
	setenv.set-environment = ( "GIT_PROJECT_ROOT" => "$dir/git", "GIT_HTTP_EXPORT_ALL" => "1", "HOME" => "$dir/empty" )
	cgi.assign = ( "" => "" )
	END
}

https_host()
{
	mkdir -p "$dir/git" "$dir/empty" "$dir/tmp"
	[ -e "$dir/both.pem" ] || certificate good
	[ -e "$dir/password" ] || openssl rand -hex 12 >"$dir/password"
	printf 'buurt:%s\n' "$(cat "$dir/password")" >"$dir/users"
	tries=0
	while [ $tries -lt 20 ]; do
		if [ $tries -gt 0 ] || [ ! -e "$dir/port" ]; then
			port >"$dir/port"
		fi
		rm -f "$dir/pid" "$dir/errors"
		https_config "$(cat "$dir/port")" >"$dir/config"
		/usr/sbin/lighttpd -f "$dir/config" 2>>"$dir/errors" && started "$dir/pid" "$dir/errors" && return 0
		tries=$((tries + 1))
	done
	cat "$dir/errors" >&2
	return 1
}

stop()
{
	[ -s "$1/pid" ] || return 0
	pid=$(cat "$1/pid")
	kill "$pid" 2>/dev/null || return 0
	n=0
	while kill -0 "$pid" 2>/dev/null && [ $n -lt 250 ]; do
		sleep 0.02
		n=$((n + 1))
	done
	kill -9 "$pid" 2>/dev/null || true
	rm -f "$1/pid"
}

what=$1
shift
if [ "$what" = stop ]; then
	for dir; do
		stop "$dir"
	done
	exit 0
fi
dir=$1
mkdir -p "$dir"
case $what in
ssh) ssh_host ;;
https) https_host ;;
certificate) certificate "$2" ;;
esac
