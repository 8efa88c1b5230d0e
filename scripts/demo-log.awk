# SPDX-License-Identifier: EUPL-1.2
#
# Makes up the conversations of one circle for the demonstration. Nothing here ever happened: the outcomes are drawn
# with the weights of tests/data/toronto_outcomes.csv (months summed), everything else with weights written below.
#
#   awk -v seed=1 -v n=100 -v from=2026-07-01 -v days=92 -f scripts/demo-log.awk tests/data/toronto_outcomes.csv
#
# Prints one line a conversation, fields divided by TAB:
#   day (from `from`, 0 ...), domain, group, kind, outcome, days until the answer, reason or -

function pick(list, weights,    n, i, at, name, weight, total) {
	n = split(list, name, " ")
	split(weights, weight, " ")
	total = 0
	for (i = 1; i <= n; i++)
		total += weight[i]
	at = rand() * total
	for (i = 1; i < n; i++) {
		at -= weight[i]
		if (at < 0)
			break
	}
	return name[i]
}

BEGIN {
	FS = ","
	# what a code of the helpline stands for here
	split("1A geholpen 1B aangenomen 1C afspraak 1D ingetrokken 2A aangenomen 2B afspraak 2C stil 2D geholpen " \
	      "3A niet_dienst 3B wachtlijst 3C geholpen 4A stil 4B niet_bewoner", map, " ")
	for (i = 1; i <= 26; i += 2)
		means[map[i]] = map[i + 1]
}

$2 in means {
	sum[means[$2]] += $3
}

END {
	srand(seed)
	outcomes = weights = ""
	split("geholpen aangenomen afspraak wachtlijst stil niet_dienst niet_bewoner ingetrokken", order, " ")
	for (i = 1; i <= 8; i++) {
		outcomes = outcomes " " order[i]
		weights = weights " " sum[order[i]]
	}
	groups["geld"] = "schulden buurtteam gemeente"
	groups["wonen"] = "wonen gemeente buurtteam"
	groups["werk"] = "werk welzijn gemeente"
	groups["papieren"] = "buurtteam recht gemeente"
	groups["gezond"] = "zorg welzijn buurtteam"
	groups["thuis"] = "welzijn zorg recht"
	groups["kinderen"] = "school welzijn zorg"
	groups["meedoen"] = "initiatief welzijn anders"
	groups["taal"] = "initiatief school welzijn"
	groups["anders"] = "anders recht buurtteam"
	for (i = 0; i < n; i++) {
		domain = pick("geld wonen papieren werk gezond thuis kinderen meedoen taal anders", "24 20 16 9 9 6 6 4 4 2")
		outcome = pick(outcomes, weights)
		reason = "-"
		if (outcome == "niet_dienst")
			reason = pick("vol past_niet papieren geen_antwoord verkeerde_dienst geen_tolk", "5 3 2 2 1 1")
		if (outcome == "niet_bewoner")
			reason = pick("geen_contact niet_gekomen wil_niet reiskosten", "3 3 2 1")
		printf "%d\t%s\t%s\t%s\t%s\t%d\t%s\n", int(rand() * days), domain, pick(groups[domain], "6 3 1"),
			pick("mee samen_gebeld aangemeld brief info", "2 3 2 2 3"), outcome, 2 + int(rand() * 25), reason
	}
}
