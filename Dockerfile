# kohl in a container: the page by default, or any other command. Nothing is fetched when it runs.
#
#   docker build -t kohl .
#   docker run --rm -p 127.0.0.1:5645:5645 -e KOHL_API_KEY="$(openssl rand -hex 32)" kohl
#   docker run --rm --user "$(id -u)" -v "$PWD:/photos" kohl protect /photos/me.jpg

FROM python:3.12-slim-bookworm AS build
WORKDIR /kohl
RUN python -m venv /opt/kohl
ENV PATH=/opt/kohl/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt pyproject.toml README.md LICENSE ./
# torch alone from its index of CPU builds: the package index has it with gigabytes of CUDA.
RUN pip install --only-binary :all: --no-deps -c constraints.txt --index-url https://download.pytorch.org/whl/cpu torch
COPY src src
COPY recipes recipes
RUN pip install --prefer-binary -c constraints.txt '.[serve,heif]'

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kohl
COPY --from=build /opt/kohl /opt/kohl
# Photos at work are files in /tmp: mount a file system in memory there (--tmpfs /tmp) and they never touch a disk.
ENV PATH=/opt/kohl/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001
WORKDIR /photos
EXPOSE 5645
STOPSIGNAL SIGINT
# The server wants a key, since it listens beyond the container; a command that serves nothing is not looked after.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:5645/v1/health', timeout=4)"]
ENTRYPOINT ["kohl"]
CMD ["serve", "--host", "0.0.0.0", "--port", "5645", "--no-browser"]
