// SPDX-License-Identifier: EUPL-1.2
// Tables as networks: sums are nodes, cells are arcs, what could be different is a circulation. Everything here is in
// whole numbers and exact (D1 to D4 in two dimensions).
#include "disclose/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct flow {
	const struct sdc_problem *p;
	uint32_t nodes;      /* kept sums, one for outside, one for the split of a group's sum */
	uint32_t *node_of;   /* per sum: its node, or FLOW_NONE where others imply it */
	int8_t *sign;        /* per sum: 1 or -1, what it is taken times */
	uint32_t *from, *to; /* per cell; a unit more in the cell is a unit along the arc */
	int64_t *up, *down;  /* room per cell, as set */
	int64_t *ru, *rd;    /* what is left of it */
	bool fresh;          /* the lists below fit the room */
	uint32_t *start;     /* per node, nodes + 1: into arc */
	uint32_t *arc;
	/* one push */
	uint32_t source, sink;
	uint32_t split, split_margin, split_part; /* node, cells; FLOW_NONE */
	int32_t *level;
	uint32_t *next, *queue;
	double *dist;
	uint32_t *via;
	bool *queued;
};

void flow_free(struct flow *f)
{
	if (f == NULL)
		return;
	free(f->node_of);
	free(f->sign);
	free(f->from);
	free(f->to);
	free(f->up);
	free(f->down);
	free(f->ru);
	free(f->rd);
	free(f->start);
	free(f->arc);
	free(f->level);
	free(f->next);
	free(f->queue);
	free(f->dist);
	free(f->via);
	free(f->queued);
	free(f);
}

/* -- which sums, which signs -------------------------------------------------------------------------------------- */

static uint32_t whole_of(const struct sdc_problem *p, size_t s)
{
	return p->sum_cell[p->sum[s].start];
}

static size_t parts_of(const struct sdc_problem *p, size_t s)
{
	return p->sum[s + 1].start - p->sum[s].start - 1;
}

static uint32_t part_of(const struct sdc_problem *p, size_t s, size_t k)
{
	return p->sum_cell[p->sum[s].start + 1 + k];
}

/* The dimension that sum s goes along. */
static size_t sum_dim(const struct sdc_problem *p, size_t s)
{
	const uint32_t *a = sdc_cell_codes(p, whole_of(p, s)), *b = sdc_cell_codes(p, part_of(p, s, 0));
	size_t d = 0;

	while (a[d] == b[d])
		d++;
	return d;
}

/* The sum along `dim` that `cell` is the whole of, or SIZE_MAX. */
static size_t sum_from(const struct sdc_problem *p, uint32_t cell, size_t dim)
{
	for (uint32_t k = p->in_start[cell]; k < p->in_start[cell + 1]; k++) {
		size_t s = p->in_sum[k];

		if (whole_of(p, s) == cell && sum_dim(p, s) == dim)
			return s;
	}
	return SIZE_MAX;
}

/* Do the parts of a and of b have the same codes along the dimension that both go along? */
static bool same_parts(const struct sdc_problem *p, size_t a, size_t b)
{
	size_t d = sum_dim(p, a);

	if (parts_of(p, a) != parts_of(p, b))
		return false;
	for (size_t k = 0; k < parts_of(p, a); k++) {
		if (sdc_cell_codes(p, part_of(p, a, k))[d] != sdc_cell_codes(p, part_of(p, b, k))[d])
			return false;
	}
	return true;
}

/* Every part of `s` is divided along `dim` as `across` divides the whole. */
static bool divided(const struct sdc_problem *p, size_t s, size_t across)
{
	for (size_t k = 0; k < parts_of(p, s); k++) {
		size_t t = sum_from(p, part_of(p, s, k), sum_dim(p, across));

		if (t == SIZE_MAX || !same_parts(p, t, across))
			return false;
	}
	return true;
}

/* Sum s follows from others: its whole is divided along `lead` too, and the two divisions make a full grid. */
static bool implied(const struct sdc_problem *p, size_t s, size_t lead)
{
	size_t d = sum_dim(p, s);

	for (size_t k = 0; k < p->dims; k++) {
		/* `lead` comes first, the others in their order */
		size_t before = k == 0 ? lead : k <= lead ? k - 1 : k;
		size_t across;

		if (before == d)
			return false;
		across = sum_from(p, whole_of(p, s), before);
		if (across != SIZE_MAX && divided(p, s, across) && divided(p, across, s))
			return true;
	}
	return false;
}

/* What a cell counts for in a sum, with the sum's sign. */
static int way(const struct flow *f, size_t s, uint32_t cell)
{
	return whole_of(f->p, s) == cell ? -f->sign[s] : f->sign[s];
}

/* Gives the sums that hang together with `s` their signs. False: no signs fit. */
static bool signs_spread(struct flow *f, size_t s)
{
	const struct sdc_problem *p = f->p;
	size_t head = 0, tail = 0;

	f->sign[s] = 1;
	f->queue[tail++] = (uint32_t)s;
	while (head < tail) {
		size_t a = f->queue[head++];

		for (uint32_t k = p->sum[a].start; k < p->sum[a + 1].start; k++) {
			uint32_t cell = p->sum_cell[k];

			for (uint32_t j = p->in_start[cell]; j < p->in_start[cell + 1]; j++) {
				size_t b = p->in_sum[j];
				int want = whole_of(p, b) == cell ? way(f, a, cell) : -way(f, a, cell);

				if (b == a || f->node_of[b] == FLOW_NONE)
					continue;
				if (f->sign[b] == 0) {
					f->sign[b] = (int8_t)want;
					f->queue[tail++] = (uint32_t)b;
				} else if (f->sign[b] != want) {
					return false;
				}
			}
		}
	}
	return true;
}

/* Keeps the sums that matter when those along `lead` come first, and tries to see a network in them. */
static bool network_find(struct flow *f, size_t lead)
{
	const struct sdc_problem *p = f->p;
	uint32_t kept = 0;

	for (size_t s = 0; s < p->sums; s++) {
		f->node_of[s] = implied(p, s, lead) ? FLOW_NONE : kept++;
		f->sign[s] = 0;
	}
	f->nodes = kept + 2;
	for (uint32_t c = 0; c < p->cells; c++) {
		unsigned in = 0;

		for (uint32_t k = p->in_start[c]; k < p->in_start[c + 1]; k++)
			in += f->node_of[p->in_sum[k]] != FLOW_NONE;
		if (in > 2)
			return false;
	}
	for (size_t s = 0; s < p->sums; s++) {
		if (f->node_of[s] != FLOW_NONE && f->sign[s] == 0 && !signs_spread(f, s))
			return false;
	}
	for (uint32_t c = 0; c < p->cells; c++) {
		f->from[c] = f->to[c] = kept; /* outside */
		for (uint32_t k = p->in_start[c]; k < p->in_start[c + 1]; k++) {
			size_t s = p->in_sum[k];

			if (f->node_of[s] == FLOW_NONE)
				continue;
			if (way(f, s, c) > 0)
				f->to[c] = f->node_of[s];
			else
				f->from[c] = f->node_of[s];
		}
	}
	return true;
}

enum err flow_new(const struct sdc_problem *p, struct flow **out, struct errctx *ec)
{
	struct flow *f = calloc(1, sizeof *f);
	size_t n = p->cells + 1, s = p->sums + 3;
	bool found = false;

	*out = NULL;
	if (f == NULL)
		return no_memory(ec);
	f->p = p;
	f->split = FLOW_NONE;
	f->node_of = calloc(s, sizeof *f->node_of);
	f->sign = calloc(s, sizeof *f->sign);
	f->from = calloc(n, sizeof *f->from);
	f->to = calloc(n, sizeof *f->to);
	f->up = calloc(n, sizeof *f->up);
	f->down = calloc(n, sizeof *f->down);
	f->ru = calloc(n, sizeof *f->ru);
	f->rd = calloc(n, sizeof *f->rd);
	f->start = calloc(s + 1, sizeof *f->start);
	f->arc = calloc(2 * n, sizeof *f->arc);
	f->level = calloc(s, sizeof *f->level);
	f->next = calloc(s, sizeof *f->next);
	f->queue = calloc(s, sizeof *f->queue);
	f->dist = calloc(s, sizeof *f->dist);
	f->via = calloc(s, sizeof *f->via);
	f->queued = calloc(s, sizeof *f->queued);
	if (f->node_of == NULL || f->sign == NULL || f->from == NULL || f->to == NULL || f->up == NULL ||
	    f->down == NULL || f->ru == NULL || f->rd == NULL || f->start == NULL || f->arc == NULL ||
	    f->level == NULL || f->next == NULL || f->queue == NULL || f->dist == NULL || f->via == NULL ||
	    f->queued == NULL) {
		flow_free(f);
		return no_memory(ec);
	}
	for (size_t lead = 0; !found && lead < p->dims; lead++)
		found = network_find(f, lead);
	if (found)
		*out = f;
	else
		flow_free(f);
	return ERR_OK;
}

/* -- the residual network ----------------------------------------------------------------------------------------- */

void flow_room_set(struct flow *f, uint32_t cell, int64_t up, int64_t down)
{
	if (((f->up[cell] | f->down[cell]) == 0) != ((up | down) == 0))
		f->fresh = false;
	f->up[cell] = up;
	f->down[cell] = down;
}

/* The arcs with room at each node. */
static void lists_refresh(struct flow *f)
{
	const struct sdc_problem *p = f->p;
	uint32_t at = 0;

	if (f->fresh)
		return;
	memset(f->start, 0, (f->nodes + 1) * sizeof *f->start);
	for (uint32_t c = 0; c < p->cells; c++) {
		if ((f->up[c] | f->down[c]) != 0) {
			f->start[f->from[c]]++;
			f->start[f->to[c]]++;
		}
	}
	for (uint32_t v = 0; v <= f->nodes; v++) {
		at += f->start[v];
		f->start[v] = at;
	}
	for (uint32_t c = (uint32_t)p->cells; c-- > 0;) {
		if ((f->up[c] | f->down[c]) != 0) {
			f->arc[--f->start[f->from[c]]] = c;
			f->arc[--f->start[f->to[c]]] = c;
		}
	}
	f->fresh = true;
}

static uint32_t extra(const struct flow *f)
{
	return f->nodes - 1;
}

static bool on_split(const struct flow *f, uint32_t cell)
{
	return f->split != FLOW_NONE && (cell == f->split_margin || cell == f->split_part);
}

/* Ends of an arc: margin and part of a group that is asked for hang on a node of their own. */
static uint32_t tail_of(const struct flow *f, uint32_t c)
{
	return on_split(f, c) && f->from[c] == f->split ? extra(f) : f->from[c];
}

static uint32_t head_of(const struct flow *f, uint32_t c)
{
	return on_split(f, c) && f->to[c] == f->split ? extra(f) : f->to[c];
}

static uint32_t arcs_of(const struct flow *f, uint32_t v)
{
	return v == extra(f) ? 2 : f->start[v + 1] - f->start[v];
}

/* Arc k of node v, and where a unit can go along it: FLOW_NONE if nowhere. An arc from a node to itself moves alone. */
static uint32_t step(const struct flow *f, uint32_t v, uint32_t k, uint32_t *cell)
{
	uint32_t c = v != extra(f) ? f->arc[f->start[v] + k] : k == 0 ? f->split_margin : f->split_part;

	*cell = c;
	if (tail_of(f, c) == v && f->ru[c] > 0)
		return head_of(f, c);
	if (head_of(f, c) == v && f->rd[c] > 0)
		return tail_of(f, c);
	return FLOW_NONE;
}

/* Sends along arc c, out of node v. */
static void send(struct flow *f, uint32_t v, uint32_t c, int64_t much)
{
	if (tail_of(f, c) == v) {
		f->ru[c] -= much;
		f->rd[c] += much;
	} else {
		f->rd[c] -= much;
		f->ru[c] += much;
	}
}

static int64_t room(const struct flow *f, uint32_t v, uint32_t c)
{
	return tail_of(f, c) == v ? f->ru[c] : f->rd[c];
}

/* Breadth first from the source; true if the sink is reached. */
static bool levels_find(struct flow *f)
{
	uint32_t head = 0, tail = 0;

	for (uint32_t v = 0; v < f->nodes; v++) {
		f->level[v] = -1;
		f->next[v] = 0;
	}
	f->level[f->source] = 0;
	f->queue[tail++] = f->source;
	while (head < tail) {
		uint32_t v = f->queue[head++];

		for (uint32_t k = 0; k < arcs_of(f, v); k++) {
			uint32_t c, w = step(f, v, k, &c);

			if (w != FLOW_NONE && f->level[w] < 0) {
				f->level[w] = f->level[v] + 1;
				f->queue[tail++] = w;
			}
		}
	}
	return f->level[f->sink] >= 0;
}

/* One path down the levels, without recursion: f->via holds the arcs of the path, f->queue its nodes. */
static int64_t path_send(struct flow *f, int64_t most)
{
	uint32_t len = 0, v = f->source;

	while (v != f->sink) {
		uint32_t c = 0, w = FLOW_NONE;

		for (; f->next[v] < arcs_of(f, v); f->next[v]++) {
			w = step(f, v, f->next[v], &c);
			if (w != FLOW_NONE && f->level[w] == f->level[v] + 1)
				break;
			w = FLOW_NONE;
		}
		if (w != FLOW_NONE) {
			f->queue[len] = v;
			f->via[len++] = c;
			v = w;
		} else if (len == 0) {
			return 0;
		} else {
			f->level[v] = -1;
			v = f->queue[--len];
			f->next[v]++;
		}
	}
	for (uint32_t k = 0; k < len; k++)
		most = room(f, f->queue[k], f->via[k]) < most ? room(f, f->queue[k], f->via[k]) : most;
	for (uint32_t k = 0; k < len; k++)
		send(f, f->queue[k], f->via[k], most);
	return most;
}

/* Readies the residual network for a question. Returns the room of what is pushed itself. */
static int64_t push_begin(struct flow *f, const struct flow_ask *a)
{
	const struct sdc_problem *p = f->p;
	int64_t own = a->most;

	lists_refresh(f);
	memcpy(f->ru, f->up, p->cells * sizeof *f->ru);
	memcpy(f->rd, f->down, p->cells * sizeof *f->rd);
	if (a->fixed != FLOW_NONE)
		f->ru[a->fixed] = f->rd[a->fixed] = 0;
	f->split = FLOW_NONE;
	if (a->cell != FLOW_NONE) {
		int64_t r = a->dir > 0 ? f->ru[a->cell] : f->rd[a->cell];

		own = r < own ? r : own;
		f->source = a->dir > 0 ? f->to[a->cell] : f->from[a->cell];
		f->sink = a->dir > 0 ? f->from[a->cell] : f->to[a->cell];
		f->ru[a->cell] = f->rd[a->cell] = 0;
	} else {
		const struct sdc_group *g = &p->group[a->group];
		size_t s = g->sum;

		/* what others bring into the sum leaves by margin and part */
		f->split = f->node_of[s];
		f->split_margin = g->margin;
		f->split_part = g->part;
		f->source = f->sign[s] > 0 ? extra(f) : f->split;
		f->sink = f->sign[s] > 0 ? f->split : extra(f);
	}
	return own;
}

/* The moves that were sent, and the pushed cell's own. */
static void moves_take(struct flow *f, const struct flow_ask *a, int64_t pushed, int64_t *y)
{
	for (uint32_t c = 0; c < f->p->cells; c++) {
		bool still = c == a->cell || c == a->fixed;

		y[c] = still ? 0 : f->up[c] - f->ru[c];
	}
	if (a->cell != FLOW_NONE)
		y[a->cell] = a->dir * pushed;
}

bool flow_can_ask(const struct flow *f, const struct flow_ask *a)
{
	return a->cell != FLOW_NONE || f->node_of[f->p->group[a->group].sum] != FLOW_NONE;
}

int64_t flow_push(struct flow *f, const struct flow_ask *a, int64_t *y)
{
	int64_t most = push_begin(f, a), pushed = 0;

	if (f->source == f->sink) {
		pushed = most; /* it stands in no sum */
	} else {
		while (pushed < most && levels_find(f)) {
			int64_t sent;

			while (pushed < most && (sent = path_send(f, most - pushed)) > 0)
				pushed += sent;
		}
		levels_find(f); /* what can still be reached: the near side of the cut */
	}
	moves_take(f, a, pushed, y);
	return pushed;
}

bool flow_crosses(const struct flow *f, uint32_t cell, bool up)
{
	bool tail = f->level[tail_of(f, cell)] >= 0, head = f->level[head_of(f, cell)] >= 0;

	return up ? tail && !head : head && !tail;
}

/* -- by price ----------------------------------------------------------------------------------------------------- */

/* Cheapest path in the residual network (Bellman and Ford, with a queue); f->via is the arc into each node. */
static bool path_find(struct flow *f, const double *price)
{
	uint32_t head = 0, count = 0;

	for (uint32_t v = 0; v < f->nodes; v++) {
		f->dist[v] = INFINITY;
		f->queued[v] = false;
	}
	f->dist[f->source] = 0;
	f->queue[0] = f->source;
	count = 1;
	while (count > 0) {
		uint32_t v = f->queue[head];

		head = (head + 1) % f->nodes;
		count--;
		f->queued[v] = false;
		for (uint32_t k = 0; k < arcs_of(f, v); k++) {
			uint32_t c, w = step(f, v, k, &c);
			/* what was sent the other way is taken back, price and all */
			int64_t net = f->up[c] - f->ru[c];
			bool back = w != FLOW_NONE && (tail_of(f, c) == v ? net < 0 : net > 0);
			double d = f->dist[v] + (back ? -price[c] : price[c]);

			if (w == FLOW_NONE || w == v || d >= f->dist[w] - 1e-9)
				continue;
			f->dist[w] = d;
			f->via[w] = c;
			if (!f->queued[w]) {
				f->queue[(head + count++) % f->nodes] = w;
				f->queued[w] = true;
			}
		}
	}
	return isfinite(f->dist[f->sink]);
}

bool flow_cheapest(struct flow *f, const struct flow_ask *a, const double *price, int64_t *y)
{
	int64_t most = push_begin(f, a), left = most;
	bool done = most == a->most;

	while (done && left > 0 && f->source != f->sink) {
		int64_t much = left;

		done = path_find(f, price);
		for (uint32_t v = f->sink; done && v != f->source;) {
			uint32_t c = f->via[v], u = head_of(f, c) == v ? tail_of(f, c) : head_of(f, c);
			int64_t net = f->up[c] - f->ru[c];
			int64_t r = room(f, u, c);
			int64_t back = tail_of(f, c) == u ? -net : net;

			/* no further back than to where it was: from there on it has its price again */
			r = back > 0 && back < r ? back : r;
			much = r < much ? r : much;
			v = u;
		}
		for (uint32_t v = f->sink; done && v != f->source;) {
			uint32_t c = f->via[v], u = head_of(f, c) == v ? tail_of(f, c) : head_of(f, c);

			send(f, u, c, much);
			v = u;
		}
		left -= done ? much : 0;
	}
	moves_take(f, a, done ? most : 0, y);
	return done;
}
