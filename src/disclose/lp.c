// SPDX-License-Identifier: EUPL-1.2
// The child process that solves linear programs, and the parent's end of the socket. A crash, a loop or a leak in the
// solver ends in ERR_IO or ERR_REFUSED here, never in a pattern nobody checked.
#include "disclose/lp.h"
#include "disclose/problem.h"

#include <coin/Clp_C_Interface.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"

#define KEEP_BYTES (256 << 20)

/* A sanitizer maps more than any limit on address space allows. */
#ifdef UNDER_SANITIZER
#define ADDRESS_SANITIZED 1
#else
#define ADDRESS_SANITIZED 0
#endif

struct lp {
	int fd;
	pid_t pid;
	size_t cols;
	const struct clock *clock;
	int64_t deadline_ms;
};

/* What is asked of the child: this, then `count` changes (ASK_SOLVE), nothing (ASK_PRICES), or the row's lower bound,
 * `count` columns and as many values (ASK_ROW). */
enum { ASK_SOLVE, ASK_PRICES, ASK_ROW };
struct ask_head {
	uint64_t what, count;
};

struct answer {
	uint64_t status;
};

/* Exactly `len` bytes, or false. No signal when the other side is gone. */
static bool send_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool recv_all(int fd, void *data, size_t len)
{
	uint8_t *p = data;

	while (len > 0) {
		ssize_t n = recv(fd, p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void limit_set(__rlimit_resource_t what, rlim_t value)
{
	const struct rlimit l = { value, value };

	if (setrlimit(what, &l) != 0)
		_exit(2);
}

/* Everything the child inherited and has no need of goes. */
static void child_confine(int fd, size_t memory_mib, pid_t parent)
{
	int null;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(2);
	limit_set(RLIMIT_CORE, 0);
	if (memory_mib > 0 && !ADDRESS_SANITIZED)
		limit_set(RLIMIT_AS, (rlim_t)memory_mib << 20);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(2);
	if (fd != 3 && dup2(fd, 3) < 0)
		_exit(2);
	if (close_range(4, ~0U, 0) != 0)
		_exit(2);
}

static enum lp_status status_of(int clp)
{
	switch (clp) {
	case 0:
		return LP_OPTIMAL;
	case 1:
		return LP_INFEASIBLE;
	case 2:
		return LP_UNBOUNDED;
	default:
		return LP_GAVE_UP;
	}
}

/* Bounds and costs as asked, then the answer. */
static bool child_solve(Clp_Simplex *clp, size_t cols, uint64_t count, int fd)
{
	double *lower = Clp_columnLower(clp), *upper = Clp_columnUpper(clp), *cost = Clp_objective(clp);
	struct answer a;

	for (uint64_t k = 0; k < count; k++) {
		struct lp_change ch;

		if (!recv_all(fd, &ch, sizeof ch) || ch.col >= cols)
			return false;
		lower[ch.col] = ch.lower;
		upper[ch.col] = ch.upper;
		cost[ch.col] = ch.cost;
	}
	a.status = status_of(Clp_dual(clp, 0));
	if (a.status == LP_GAVE_UP)
		a.status = status_of(Clp_primal(clp, 0));
	if (!send_all(fd, &a, sizeof a))
		return false;
	return a.status != LP_OPTIMAL || send_all(fd, Clp_getColSolution(clp), cols * sizeof(double));
}

static bool child_row(Clp_Simplex *clp, size_t cols, uint64_t count, int fd)
{
	double lower, upper = LP_INFINITY, *value = NULL;
	int *col = NULL, start[2] = { 0, (int)count };
	bool fine = count <= cols;

	if (fine) {
		col = calloc(count + 1, sizeof *col);
		value = calloc(count + 1, sizeof *value);
		fine = col != NULL && value != NULL && recv_all(fd, &lower, sizeof lower) &&
		       recv_all(fd, col, count * sizeof *col) && recv_all(fd, value, count * sizeof *value);
	}
	if (fine)
		Clp_addRows(clp, 1, &lower, &upper, start, col, value);
	free(col);
	free(value);
	return fine;
}

/* Answers until the socket closes. */
static void child_run(const struct lp_model *m, int fd)
{
	Clp_Simplex *clp = Clp_newModel();
	struct ask_head h;
	bool fine = true;

	/* the solver takes and gives back the same large pieces in each call: they stay with this process */
	mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	Clp_setLogLevel(clp, 0);
	Clp_scaling(clp, 0);
	Clp_loadProblem(clp, (int)m->cols, (int)m->rows, m->start, m->index, m->value, m->lower, m->upper, m->cost,
	                m->row_lower, m->row_upper);
	while (fine && recv_all(fd, &h, sizeof h)) {
		if (h.what == ASK_SOLVE)
			fine = child_solve(clp, m->cols, h.count, fd);
		else if (h.what == ASK_PRICES)
			fine = send_all(fd, Clp_getReducedCost(clp), m->cols * sizeof(double));
		else
			fine = child_row(clp, m->cols, h.count, fd);
	}
}

enum err lp_open(const struct lp_model *model, const struct sdc_limits *limits, int64_t deadline_ms, struct lp **out,
                 struct errctx *ec)
{
	struct lp *lp = calloc(1, sizeof *lp);
	int fd[2] = { -1, -1 };
	pid_t parent = getpid();

	*out = NULL;
	if (lp == NULL)
		return no_memory(ec);
	lp->pid = -1;
	lp->cols = model->cols;
	lp->clock = limits->clock;
	lp->deadline_ms = deadline_ms;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0)
		lp->pid = fork();
	if (lp->pid == 0) {
		child_confine(fd[1], limits->memory_mib, parent);
		child_run(model, 3);
		_exit(0);
	}
	if (fd[1] >= 0)
		close(fd[1]);
	lp->fd = fd[0];
	if (lp->pid < 0) {
		lp_close(lp);
		return err_set(ec, ERR_IO, "The tables could not be checked: no helper process could be started.", NULL,
		               NULL, NULL);
	}
	*out = lp;
	return ERR_OK;
}

static enum err wait_for_answer(struct lp *lp, struct errctx *ec)
{
	struct pollfd pfd = { .fd = lp->fd, .events = POLLIN };

	for (;;) {
		int64_t left = -1;
		int n;

		if (lp->clock != NULL && lp->deadline_ms != 0) {
			left = lp->deadline_ms - clock_now(lp->clock);
			if (left <= 0)
				return err_set(ec, ERR_REFUSED,
				               "These tables take too long to protect. Use coarser values or fewer "
				               "tables.",
				               NULL, NULL, NULL);
			if (left > 1000)
				left = 1000;
		}
		n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return ERR_OK;
		if (n < 0 && errno != EINTR)
			return err_errno(ec, errno, "socket");
	}
}

static enum err child_gone(struct errctx *ec)
{
	return err_set(ec, ERR_REFUSED,
	               "The tables could not be checked: the helper process ran out of memory or failed.", NULL, NULL,
	               NULL);
}

enum err lp_solve(struct lp *lp, const struct lp_change *changes, size_t count, enum lp_status *status, double *x,
                  struct errctx *ec)
{
	const struct ask_head h = { ASK_SOLVE, count };
	struct answer a = { LP_GAVE_UP };
	bool fine = send_all(lp->fd, &h, sizeof h) && send_all(lp->fd, changes, count * sizeof *changes);
	enum err e = ERR_OK;

	if (fine)
		e = wait_for_answer(lp, ec);
	if (e != ERR_OK)
		return e;
	fine = fine && recv_all(lp->fd, &a, sizeof a);
	if (fine && a.status == LP_OPTIMAL)
		fine = recv_all(lp->fd, x, lp->cols * sizeof *x);
	if (!fine)
		return child_gone(ec);
	*status = (enum lp_status)a.status;
	return ERR_OK;
}

enum err lp_prices(struct lp *lp, double *price, struct errctx *ec)
{
	const struct ask_head h = { ASK_PRICES, 0 };

	if (!send_all(lp->fd, &h, sizeof h) || !recv_all(lp->fd, price, lp->cols * sizeof *price))
		return child_gone(ec);
	return ERR_OK;
}

enum err lp_row_add(struct lp *lp, const struct lp_row *row, struct errctx *ec)
{
	const struct ask_head h = { ASK_ROW, row->count };

	if (!send_all(lp->fd, &h, sizeof h) || !send_all(lp->fd, &row->lower, sizeof row->lower) ||
	    !send_all(lp->fd, row->col, row->count * sizeof *row->col) ||
	    !send_all(lp->fd, row->value, row->count * sizeof *row->value))
		return child_gone(ec);
	return ERR_OK;
}

void lp_close(struct lp *lp)
{
	if (lp == NULL)
		return;
	if (lp->fd >= 0)
		close(lp->fd);
	if (lp->pid > 0) {
		kill(lp->pid, SIGKILL);
		while (waitpid(lp->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(lp);
}
