// SPDX-License-Identifier: EUPL-1.2
// Files and lines of a direct run: a file being written is invisible until it is whole, then replaces the old one in
// one step and keeps its mode; what fails leaves the old one; lines are bounded and arrive as they are written.
//
// Seen to fail: with the file opened under its own name; with a folder that may have something in it; with the mode not
// kept; with the bound on a line left out.
#include "cli/owner_demo.h"

static void put(const char *path, const char *text)
{
	assert_int_equal(file_replace(NULL, path, (struct bytes){ (const uint8_t *)text, strlen(text) }), ERR_OK);
}

static void assert_content(const char *path, const char *text)
{
	struct buf b = { 0 };

	assert_int_equal(file_read(NULL, path, 1 << 20, &b), ERR_OK);
	assert_int_equal(buf_terminate(&b), ERR_OK);
	assert_string_equal((char *)b.data, text);
	buf_free(&b);
}

static unsigned count_entries(const char *dir)
{
	char command[256];
	unsigned n = 0;
	FILE *f = NULL;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

static void test_invisible_until_whole(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	char *path = file_join(dir, "out");
	struct io_write w;
	struct stat st;
	struct io io;

	io_direct(&io, "nl");
	assert_int_equal(io_write_begin(&io, &ec, path, IO_REPLACE, &w), ERR_OK);
	fputs("new", w.file);
	assert_int_equal(fflush(w.file), 0);
	assert_int_equal(count_entries(dir), 0);
	assert_int_equal(io_write_commit(&io, &ec, &w), ERR_OK);
	assert_null(w.file);
	assert_content(path, "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(io_write_begin(&io, &ec, path, IO_REPLACE, &w), ERR_OK);
	fputs("newer", w.file);
	assert_int_equal(fflush(w.file), 0);
	assert_content(path, "new");
	assert_int_equal(io_write_commit(&io, &ec, &w), ERR_OK);
	assert_content(path, "newer");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	assert_int_equal(count_entries(dir), 1);
	free(path);
	demo_remove(dir);
}

/* A folder with files in it: all of it or nothing, and nothing that was there is touched. */
static void test_a_folder_appears_whole(void **state)
{
	static const struct {
		const char *before; /* made under the name: "d" a folder, "e" one with a file in it, "f" a file */
		const char *part;   /* the same under the name of the part */
		enum err begin;
	} cases[] = {
		{ "", "", ERR_OK },       { "d", "", ERR_OK },      { "", "d", ERR_OK },      { "e", "", ERR_REFUSED },
		{ "f", "", ERR_REFUSED }, { "", "e", ERR_REFUSED }, { "", "f", ERR_REFUSED }, { "d", "e", ERR_REFUSED },
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const kinds[2] = { cases[i / 2].before, cases[i / 2].part };
		bool commit = i % 2 == 0;
		struct errctx ec = { .code = ERR_OK };
		char *dir = demo_dir_new();
		char *path = file_join(dir, "out");
		char *slashed = file_join(dir, "out//");
		struct io_write w[2];
		struct io_dir d;
		struct stat st;
		struct io io;

		for (size_t k = 0; k < 2; k++) {
			char *at = k == 0 ? strdup(path) : file_join(dir, "out.part");
			char *in = file_join(at, "mine");

			if (kinds[k][0] == 'd' || kinds[k][0] == 'e')
				assert_int_equal(mkdir(at, 0755), 0);
			if (kinds[k][0] == 'e' || kinds[k][0] == 'f')
				fclose(fopen(kinds[k][0] == 'e' ? in : at, "w"));
			free(at);
			free(in);
		}
		io_direct(&io, "nl");
		assert_int_equal(io_dir_begin(&io, &ec, slashed, &d), cases[i / 2].begin);
		for (size_t k = 0; k < 2 && cases[i / 2].begin == ERR_OK; k++) {
			char *in = file_join(d.part, k == 0 ? "a" : "b");

			assert_int_equal(io_write_begin(&io, &ec, in, IO_NEW, &w[k]), ERR_OK);
			fputs("new", w[k].file);
			free(in);
		}
		if (cases[i / 2].begin != ERR_OK) {
			assert_null(d.path);
			io_dir_abort(&io, &d);
			assert_int_equal(count_entries(dir),
			                 (cases[i / 2].before[0] != 0) + (cases[i / 2].part[0] != 0));
		} else if (commit) {
			char *in = file_join(path, "b");

			assert_int_equal(io_write_commit(&io, &ec, &w[0]), ERR_OK);
			assert_int_equal(io_write_commit(&io, &ec, &w[1]), ERR_OK);
			assert_int_equal(io_dir_commit(&io, &ec, &d), ERR_OK);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 0777, 0700);
			assert_int_equal(count_entries(path), 2);
			assert_content(in, "new");
			assert_int_equal(count_entries(dir), 1);
			free(in);
		} else {
			/* one has its name already when it goes wrong */
			assert_int_equal(io_write_commit(&io, &ec, &w[0]), ERR_OK);
			io_write_abort(&io, &w[1]);
			io_dir_abort(&io, &d);
			assert_int_equal(count_entries(dir), cases[i / 2].before[0] != 0);
		}
		free(path);
		free(slashed);
		demo_remove(dir);
	}
}

static void test_new_means_new(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	char *path = file_join(dir, "out");
	struct io_write w;
	struct io io;

	io_direct(&io, "nl");
	assert_int_equal(io_write_begin(&io, &ec, path, IO_NEW, &w), ERR_OK);
	fputs("mine", w.file);
	// Somebody else makes it meanwhile.
	put(path, "theirs");
	assert_int_equal(io_write_commit(&io, &ec, &w), ERR_REFUSED);
	assert_content(path, "theirs");
	err_clear(&ec);
	assert_int_equal(io_write_begin(&io, &ec, path, IO_NEW, &w), ERR_REFUSED);
	assert_null(w.file);
	io_write_abort(&io, &w);
	assert_int_equal(count_entries(dir), 1);
	free(path);
	demo_remove(dir);
}

// A file of which the worth is decided by what follows: there and whole after placing, kept by a commit, gone after an
// abort.
static void test_placed_and_taken_back(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	char *path = file_join(dir, "out");
	struct io_write w;
	struct io io;

	io_direct(&io, "nl");
	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(io_write_begin(&io, &ec, path, IO_NEW | IO_HELD, &w), ERR_OK);
		fputs("words", w.file);
		assert_int_equal(count_entries(dir), 0);
		assert_int_equal(io_write_place(&io, &ec, &w), ERR_OK);
		assert_content(path, "words");
		if (keep)
			assert_int_equal(io_write_commit(&io, &ec, &w), ERR_OK);
		else
			io_write_abort(&io, &w);
		assert_null(w.file);
		assert_int_equal(count_entries(dir), keep ? 1 : 0);
	}
	assert_content(path, "words");
	// Never placed, never there; and one that is there stays.
	assert_int_equal(io_write_begin(&io, &ec, path, IO_NEW | IO_HELD, &w), ERR_REFUSED);
	err_clear(&ec);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(io_write_begin(&io, &ec, path, IO_NEW | IO_HELD, &w), ERR_OK);
	put(path, "theirs");
	assert_int_equal(io_write_place(&io, &ec, &w), ERR_REFUSED);
	io_write_abort(&io, &w);
	assert_content(path, "theirs");
	free(path);
	demo_remove(dir);
}

// A disk that takes no more (/dev/full stands for it): said so, nothing changed.
static void test_failed_write_changes_nothing(void **state)
{
	char *dir = demo_dir_new();
	char *path = file_join(dir, "out");
	int status = 0;
	pid_t pid = 0;

	put(path, "old");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct errctx ec = { .code = ERR_OK };
		char big[8192];
		struct io_write w;
		struct io io;

		io_direct(&io, "nl");
		memset(big, 'x', sizeof(big));
		if (io_write_begin(&io, &ec, path, IO_REPLACE, &w) != ERR_OK ||
		    dup2(open("/dev/full", O_WRONLY), fileno(w.file)) < 0)
			_exit(90);
		for (int i = 0; i < 4; i++)
			fwrite(big, 1, sizeof(big), w.file);
		_exit(io_write_commit(&io, &ec, &w) == ERR_NO_SPACE && w.file == NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_content(path, "old");
	assert_int_equal(count_entries(dir), 1);
	free(path);
	demo_remove(dir);
}

static void test_many_at_once(void **state)
{
	struct errctx ec = { .code = ERR_OK };
	char *dir = demo_dir_new();
	struct io_write w[20];
	unsigned open = 0;
	struct io io;

	io_direct(&io, "nl");
	for (; open < 20; open++) {
		char name[32];
		char *path = NULL;
		enum err e = ERR_OK;

		snprintf(name, sizeof(name), "f%u", open);
		path = file_join(dir, name);
		e = io_write_begin(&io, &ec, path, IO_REPLACE, &w[open]);
		free(path);
		if (e != ERR_OK)
			break;
		fprintf(w[open].file, "%u", open);
	}
	assert_int_equal(open, 16);
	for (unsigned i = 0; i < open; i++) {
		if (i % 2 == 0)
			assert_int_equal(io_write_commit(&io, &ec, &w[i]), ERR_OK);
		else
			io_write_abort(&io, &w[i]);
	}
	assert_int_equal(count_entries(dir), 8);
	demo_remove(dir);
}

static enum err read_lines(int fd, unsigned *count, size_t *longest)
{
	struct errctx ec = { .code = ERR_OK };
	struct io_lines l = { .fd = fd, .name = "lines" };
	bool more = false;
	char *text = NULL;
	struct io io;
	enum err e = ERR_OK;

	*count = 0;
	*longest = 0;
	io_direct(&io, "nl");
	while ((e = io_lines_next(&io, &ec, &l, &text, &more)) == ERR_OK && more) {
		(*count)++;
		if (strlen(text) > *longest)
			*longest = strlen(text);
	}
	io_lines_clear(&l);
	return e;
}

static const struct {
	size_t len; // of each line
	unsigned lines;
	bool last_ends;
	enum err e;
} shapes[] = {
	{ 0, 0, true, ERR_OK },
	{ 0, 3, true, ERR_OK },
	{ 65535, 3, true, ERR_OK },
	{ 65536, 3, false, ERR_OK },
	{ 65537, 3, true, ERR_OK },
	{ IO_LINE_MAX, 2, true, ERR_OK },
	{ IO_LINE_MAX, 2, false, ERR_OK },
	{ IO_LINE_MAX + 1, 1, true, ERR_INPUT },
	{ IO_LINE_MAX + 1, 1, false, ERR_INPUT },
	{ 3 * IO_LINE_MAX, 1, false, ERR_INPUT },
};

static void test_lines_of_any_length(void **state)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct buf b = { 0 };
		unsigned count = 0;
		size_t longest = 0;
		int fd = demo_file(NULL);

		for (unsigned n = 0; n < shapes[i].lines; n++) {
			assert_int_equal(buf_reserve(&b, shapes[i].len + 1), ERR_OK);
			memset(b.data + b.len, 'a', shapes[i].len);
			b.len += shapes[i].len;
			if (n + 1 < shapes[i].lines || shapes[i].last_ends)
				assert_int_equal(buf_put_byte(&b, '\n'), ERR_OK);
		}
		assert_int_equal(file_write_fd(NULL, fd, "lines", b.data, b.len), ERR_OK);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		if (read_lines(fd, &count, &longest) != shapes[i].e)
			fail_msg("shape %zu", i);
		if (shapes[i].e == ERR_OK) {
			assert_int_equal(count, shapes[i].lines);
			assert_int_equal(longest, shapes[i].lines > 0 ? shapes[i].len : 0);
		}
		close(fd);
		buf_free(&b);
	}
}

// A NUL in a line would hide what comes after it.
static void test_lines_without_nul(void **state)
{
	unsigned count = 0;
	size_t longest = 0;
	int fd = demo_file(NULL);

	assert_int_equal(file_write_fd(NULL, fd, "lines", "a\nb\0c\n", 6), ERR_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(read_lines(fd, &count, &longest), ERR_INPUT);
	assert_int_equal(count, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_folder_appears_whole),       cmocka_unit_test(test_placed_and_taken_back),
		cmocka_unit_test(test_invisible_until_whole),        cmocka_unit_test(test_new_means_new),
		cmocka_unit_test(test_failed_write_changes_nothing), cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_lines_of_any_length),          cmocka_unit_test(test_lines_without_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
